using System.Text.Json;
using Microsoft.ML.Mamba.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>One golden file: tensors by name, options and tolerances, as golden/README.md describes them.</summary>
internal sealed class GoldenFile : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly JsonElement _json;
    private readonly string _name;

    private GoldenFile(string name, Dictionary<string, Tensor> tensors, JsonElement json) => (_name, _tensors, _json) = (name, tensors, json);

    /// <summary>Reads golden/name.safetensors and golden/name.json; skips the running test when the folder is absent.</summary>
    public static GoldenFile Read(string name)
    {
        var path = SharedFolder.Path("golden", name);
        var json = JsonDocument.Parse(File.ReadAllText(path + ".json")).RootElement.Clone();
        return new GoldenFile(name, SafeTensors.Read(path + ".safetensors"), json);
    }

    /// <summary>Moves every tensor to a device.</summary>
    public GoldenFile On(Device device)
    {
        foreach (var (name, tensor) in _tensors.ToArray())
            _tensors[name] = device.type == TorchSharp.DeviceType.CPU ? tensor : tensor.to(device, disposeAfter: true).DetachFromDisposeScope();
        return this;
    }

    public IEnumerable<string> Names => _tensors.Keys;

    public JsonElement Options => _json.GetProperty("options");

    public JsonElement Json => _json;

    public Tensor this[string name] => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"{_name} has no tensor '{name}'; it has {string.Join(", ", _tensors.Keys)}");

    public Tensor? Find(string name) => _tensors.GetValueOrDefault(name);

    public double ToleranceOf(string tensor) =>
        _json.TryGetProperty("tensor_tolerance", out var own) && own.TryGetProperty(tensor, out var value)
            ? value.GetDouble()
            : _json.GetProperty("tolerance").GetDouble();

    /// <summary>Asserts max|got - want| ≤ tolerance·max|want|; NaN fails.</summary>
    public void AssertMatches(string tensor, Tensor got) =>
        TensorAssert.Close(this[tensor], got, ToleranceOf(tensor), $"{_name}: {tensor}");

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }
}
