using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A module's parameters and buffers as a safetensors file.</summary>
internal static class ModuleWeights
{
    /// <summary>Writes every parameter and buffer under its state-dict name.</summary>
    public static void Save(nn.Module module, Stream stream, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafeTensors.Write(stream, module.state_dict().Select(entry => (entry.Key, entry.Value)), metadata);

    /// <summary>Overwrites every parameter and buffer; the module is left as it was when the file does not fit it.</summary>
    /// <param name="module">The module.</param>
    /// <param name="stream">At the start of the file.</param>
    /// <param name="length">Bytes of the file.</param>
    /// <param name="file">What messages call the file.</param>
    /// <exception cref="MambaCheckpointException">The file is not valid, or is that of another architecture; lists every difference.</exception>
    public static void Load(nn.Module module, Stream stream, long length, string file = "model.safetensors")
    {
        var state = module.state_dict();
        var tensors = SafeTensors.Read(stream, length, file, entries => Check(state, entries, file));
        try
        {
            using var noGradient = no_grad();
            foreach (var (name, target) in state)
                target.copy_(tensors[name]);
        }
        finally
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    private static void Check(Dictionary<string, Tensor> state, IReadOnlyList<TensorEntry> entries, string file)
    {
        var found = entries.ToDictionary(entry => entry.Name);
        var differences = new List<string>();
        foreach (var (name, target) in state)
        {
            if (!found.Remove(name, out var entry))
                differences.Add($"tensor '{name}' ({string.Join(", ", target.shape)}) is missing.");
            else if (!entry.Shape.AsSpan().SequenceEqual(target.shape))
                differences.Add($"tensor '{name}' has shape ({string.Join(", ", entry.Shape)}); expected ({string.Join(", ", target.shape)}).");
            else if (!is_floating_point(entry.Type) || !is_floating_point(target.dtype))
                differences.AddRange(entry.Type == target.dtype ? [] : [$"tensor '{name}' is {entry.Type}; expected {target.dtype}."]);
        }

        differences.AddRange(found.Keys.Select(name => $"tensor '{name}' is not part of this architecture."));
        if (differences.Count > 0)
            throw new MambaCheckpointException($"{file}: it does not fit the model. {string.Join(" ", differences)}");
    }
}
