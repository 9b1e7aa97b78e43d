using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>The tensors of a checkpoint under the names of our models, checked against its architecture.</summary>
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
        if (TensorTable.TooFewFor(config.Model, found.Count))
        {
            problems.Add("config.json", $"it speaks of {config.Model.NLayer} layers; the files hold {found.Count} tensors, too few for them.");
            return new CheckpointTensors();
        }

        var names = CheckpointNames.Of(found, config);
        var result = new CheckpointTensors { HasHead = names.HasHead };
        foreach (var tensor in found)
        {
            if (!result._tensors.TryAdd(names.Ours(tensor.Name), tensor))
                problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' comes twice.");
        }

        var twins = TensorTable.Twins(config.Model, config.TieEmbeddings).ToArray();
        result.CheckEach(config, names, twins, problems);
        result.CheckOverlaps([.. twins.Select(twin => (twin.Name, twin.Owner))], problems);
        if (!problems.Any)
            result.CheckTwins(twins, problems);
        if (!problems.Any)
            result.CheckComplements(config.Model, problems);
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

    private void CheckEach(CheckpointConfig config, CheckpointNames names, (string Name, string Owner, string Setting)[] twins, CheckpointProblems problems)
    {
        var left = new Dictionary<string, StoredTensor>(_tensors);
        var shapes = new Dictionary<string, long[]>();
        foreach (var (name, shape) in TensorTable.Of(config.Model, names.OwnHead))
        {
            shapes.Add(name, shape);
            if (!left.Remove(name, out var tensor))
                problems.Add("config.json", $"it calls for tensor '{names.Theirs(name)}' ({string.Join(", ", shape)}), which no file holds.");
            else
                CheckOne(tensor, shape, Types, problems);
        }

        foreach (var (name, owner, _) in twins)
        {
            if (left.Remove(name, out var tensor))
                CheckOne(tensor, shapes[owner], Types, problems);
        }

        foreach (var map in config.Model.ReadsBothStrands ? CaduceusLayout.Maps : [])
        {
            if (left.Remove(map, out var tensor))
                CheckOne(tensor, [config.Model.VocabSize], [ScalarType.Int64], problems);
        }

        foreach (var tensor in left.Values)
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' ({string.Join(", ", tensor.Shape)}) is not part of the architecture in config.json.");
    }

    private static void CheckOne(StoredTensor tensor, long[] shape, ScalarType[] types, CheckpointProblems problems)
    {
        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' has shape ({string.Join(", ", tensor.Shape)}); expected ({string.Join(", ", shape)}) from config.json.");
        if (!types.Contains(tensor.Type))
            problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' is {tensor.Type}; expected {string.Join(", ", types)}.");
    }

    /// <summary>Two tensors may share bytes only when they are twins: a small file could fill any amount of memory otherwise.</summary>
    private void CheckOverlaps(HashSet<(string Name, string Owner)> twins, CheckpointProblems problems)
    {
        foreach (var file in _tensors.Where(t => t.Value.Span > 0).GroupBy(t => t.Value.File))
        {
            KeyValuePair<string, StoredTensor>? previous = null;
            foreach (var tensor in file.OrderBy(t => t.Value.Offset).ThenBy(t => t.Value.End))
            {
                if (previous is { } before && tensor.Value.Offset < before.Value.End
                    && !twins.Contains((before.Key, tensor.Key)) && !twins.Contains((tensor.Key, before.Key)))
                    problems.Add(file.Key.Name, $"tensors '{before.Value.Name}' and '{tensor.Value.Name}' share bytes.");
                previous = tensor;
            }
        }
    }

    private void CheckTwins((string Name, string Owner, string Setting)[] twins, CheckpointProblems problems)
    {
        foreach (var (name, owner, setting) in twins)
        {
            if (!_tensors.TryGetValue(name, out var twin))
                continue;
            var other = _tensors[owner];
            if (twin.Type == other.Type && twin.Offset == other.Offset && twin.File == other.File)
                continue;
            if (twin.Type != other.Type || twin.Strides is not null || other.Strides is not null || !SameBytes(twin, other))
                problems.Add(twin.File.Name, $"tensor '{twin.Name}' differs from '{other.Name}', yet config.json ties the two; set {setting} to false if they differ on purpose.");
        }
    }

    private void CheckComplements(MambaConfig model, CheckpointProblems problems)
    {
        foreach (var name in CaduceusLayout.Maps)
        {
            if (!_tensors.TryGetValue(name, out var stored))
                continue;
            using var map = empty(model.VocabSize, dtype: ScalarType.Int64);
            stored.File.Read(stream =>
            {
                stored.ReadInto(stream, map);
                return true;
            });
            var found = map.data<long>();
            for (var id = 0; id < model.VocabSize; id++)
            {
                if (found[id] == model.ComplementOf(id))
                    continue;
                problems.Add(stored.File.Name, $"tensor '{stored.Name}' has {found[id]} as the complement of id {id}; expected {model.ComplementOf(id)} from complement_map of config.json.");
                break;
            }
        }
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
