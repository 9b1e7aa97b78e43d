using System.Buffers.Binary;
using System.Text.Json;

namespace Microsoft.ML.Mamba.Kernels.Tests.Golden;

/// <summary>
/// One reference file: named float32 tensors (a safetensors file) and, beside them, a JSON file with options and tolerances.
/// The README of the golden folder defines both.
/// </summary>
internal sealed class GoldenFile
{
    private readonly Dictionary<string, GoldenTensor> _tensors = [];
    private readonly JsonElement _description;

    /// <summary>Reads a file of <see cref="GoldenFolder"/>.</summary>
    /// <param name="name">Path without extension, as in <c>scan/chain_L50</c>.</param>
    public GoldenFile(string name)
    {
        Name = name;
        var path = Path.Combine(GoldenFolder.Path ?? throw new DirectoryNotFoundException(GoldenFolder.Missing), name);
        using var json = JsonDocument.Parse(File.ReadAllBytes(path + ".json"));
        _description = json.RootElement.Clone();
        ReadTensors(File.ReadAllBytes(path + ".safetensors"));
    }

    public string Name { get; }

    /// <summary>The <c>options</c> of the JSON file.</summary>
    public JsonElement Options => _description.GetProperty("options");

    public IEnumerable<string> Inputs => NamesOf("inputs");

    public IEnumerable<string> Outputs => NamesOf("outputs");

    /// <summary>The tensor of that name; its absence is an error.</summary>
    public GoldenTensor this[string tensor] => _tensors[tensor];

    public bool Has(string tensor) => _tensors.ContainsKey(tensor);

    public double Tolerance(string tensor) =>
        _description.TryGetProperty("tensor_tolerance", out var own) && own.TryGetProperty(tensor, out var tolerance)
            ? tolerance.GetDouble()
            : _description.GetProperty("tolerance").GetDouble();

    /// <summary>Asserts max|got - want| ≤ tolerance·max|want|, so that NaN fails.</summary>
    /// <param name="tensor">Name of the expected tensor.</param>
    /// <param name="got">Values in the stored order.</param>
    /// <param name="tolerance">Instead of the file's own.</param>
    public void AssertMatches(string tensor, IReadOnlyList<double> got, double? tolerance = null) =>
        Closeness.Assert($"{Name}: {tensor}", this[tensor].Values, got, tolerance ?? Tolerance(tensor));

    private IEnumerable<string> NamesOf(string group) => _description.GetProperty(group).EnumerateObject().Select(p => p.Name);

    private void ReadTensors(byte[] file)
    {
        var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            if (entry.Value.GetProperty("dtype").GetString() != "F32")
            {
                continue;
            }

            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()).ToArray();
            var start = 8 + headerLength + entry.Value.GetProperty("data_offsets")[0].GetInt32();
            var values = new float[shape.Aggregate(1, (product, n) => product * n)];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = BinaryPrimitives.ReadSingleLittleEndian(file.AsSpan(start + 4 * i));
            }

            _tensors.Add(entry.Name, new GoldenTensor(shape, values));
        }
    }
}
