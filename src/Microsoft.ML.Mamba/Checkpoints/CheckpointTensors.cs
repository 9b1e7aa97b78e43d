using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>The tensors of a checkpoint under their present names, checked against its architecture.</summary>
internal sealed class CheckpointTensors
{
    private const int BufferSize = 1 << 16;

    private static readonly ScalarType[] Types = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16];

    private readonly Dictionary<string, StoredTensor> _tensors = [];

    /// <summary>Whether a language model's head is there, one of its own or the embedding table.</summary>
    public bool HasHead { get; private init; }

    /// <summary>Checks names, shapes, types and places of all tensors.</summary>
    /// <returns>What a model is filled from; good only if no problem was added.</returns>
    public static CheckpointTensors Check(IReadOnlyList<StoredTensor> found, CheckpointConfig config, CheckpointProblems problems)
    {
        var prefixed = TensorTable.IsPrefixed(found);
        var ownHead = !config.TieEmbeddings && (prefixed || found.Any(tensor => tensor.Name == TensorTable.Head));
        var result = new CheckpointTensors { HasHead = config.TieEmbeddings || ownHead };
        foreach (var tensor in found)
        {
            if (!result._tensors.TryAdd(TensorTable.NameOf(tensor.Name, prefixed), tensor))
                problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' comes twice.");
        }

        if (TensorTable.TooFewFor(config.Model, found.Count))
        {
            problems.Add("config.json", $"it speaks of {config.Model.NLayer} layers; the files hold {found.Count} tensors, too few for them.");
            return result;
        }

        result.CheckEach(config, ownHead, problems);
        result.CheckOverlaps(problems);
        if (config.TieEmbeddings && !problems.Any)
            result.CheckTied(problems);
        return result;
    }

    /// <summary>Reads every parameter of a model, in the order of the files.</summary>
    /// <param name="module">A model of this architecture.</param>
    /// <param name="prefix">What its names lack.</param>
    public void ReadInto(nn.Module module, string prefix)
    {
        var targets = module.state_dict().Select(entry => (Target: entry.Value, Stored: _tensors[prefix + entry.Key]));
        foreach (var file in targets.GroupBy(pair => pair.Stored.File))
        {
            file.Key.Read(stream =>
            {
                foreach (var (target, stored) in file.OrderBy(pair => pair.Stored.Offset))
                    stored.ReadInto(stream, target);
                return true;
            });
        }
    }

    private void CheckEach(CheckpointConfig config, bool ownHead, CheckpointProblems problems)
    {
        var left = new Dictionary<string, StoredTensor>(_tensors);
        foreach (var (name, shape) in TensorTable.Of(config.Model, ownHead))
        {
            if (!left.Remove(name, out var tensor))
                problems.Add("config.json", $"it calls for tensor '{name}' ({string.Join(", ", shape)}), which no file holds.");
            else
                CheckOne(tensor, shape, problems);
        }

        if (config.TieEmbeddings && left.Remove(TensorTable.Head, out var head))
            CheckOne(head, [config.Model.VocabSize, config.Model.DModel], problems);
        foreach (var tensor in left.Values)
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' ({string.Join(", ", tensor.Shape)}) is not part of the architecture in config.json.");
    }

    private static void CheckOne(StoredTensor tensor, long[] shape, CheckpointProblems problems)
    {
        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' has shape ({string.Join(", ", tensor.Shape)}); expected ({string.Join(", ", shape)}) from config.json.");
        if (!Types.Contains(tensor.Type))
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' is {tensor.Type}; expected {string.Join(", ", Types)}.");
    }

    /// <summary>Two tensors may share bytes only when they are the tied pair: a small file could fill any amount of memory otherwise.</summary>
    private void CheckOverlaps(CheckpointProblems problems)
    {
        foreach (var file in _tensors.Where(t => t.Value.Span > 0).GroupBy(t => t.Value.File))
        {
            KeyValuePair<string, StoredTensor>? previous = null;
            foreach (var tensor in file.OrderBy(t => t.Value.Offset).ThenBy(t => t.Value.End))
            {
                if (previous is { } before && tensor.Value.Offset < before.Value.End && !IsTiedPair(before.Key, tensor.Key))
                    problems.Add(file.Key.Name, $"tensors '{before.Value.Name}' and '{tensor.Value.Name}' share bytes.");
                previous = tensor;
            }
        }

        static bool IsTiedPair(string a, string b) =>
            (a, b) is (TensorTable.Embeddings, TensorTable.Head) or (TensorTable.Head, TensorTable.Embeddings);
    }

    private void CheckTied(CheckpointProblems problems)
    {
        if (!_tensors.TryGetValue(TensorTable.Head, out var head))
            return;
        var table = _tensors[TensorTable.Embeddings];
        if (head.Type == table.Type && head.Offset == table.Offset && head.File == table.File)
            return;
        if (head.Type != table.Type || head.Strides is not null || table.Strides is not null || !SameBytes(head, table))
            problems.Add(head.File.Name, $"tensor '{head.Name}' differs from '{table.Name}', yet config.json ties the two; set tie_word_embeddings (tie_embeddings) to false if they differ on purpose.");
    }

    private static bool SameBytes(StoredTensor a, StoredTensor b) => a.File.Read(streamA => b.File.Read(streamB =>
    {
        for (var at = 0L; at < a.End - a.Offset; at += BufferSize)
        {
            var count = Math.Min(BufferSize, a.End - a.Offset - at);
            if (!a.File.Bytes(streamA, a.Offset + at, count).AsSpan().SequenceEqual(b.File.Bytes(streamB, b.Offset + at, count)))
                return false;
        }

        return true;
    }));
}
