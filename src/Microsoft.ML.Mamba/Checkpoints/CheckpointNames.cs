namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>How the tensors of some files are called in them and in our models.</summary>
internal sealed class CheckpointNames
{
    private readonly Func<string, string> _theirs;
    private readonly Func<string, string> _ours;

    private CheckpointNames(bool ownHead, bool hasHead, Func<string, string> theirs, Func<string, string> ours) =>
        (OwnHead, HasHead, _theirs, _ours) = (ownHead, hasHead, theirs, ours);

    /// <summary>Whether the files should hold a head of its own.</summary>
    public bool OwnHead { get; }

    /// <summary>Whether there is a head, one of its own or the embedding table.</summary>
    public bool HasHead { get; }

    public static CheckpointNames Of(IReadOnlyList<StoredTensor> found, CheckpointConfig config)
    {
        if (config.Model.Bidirectional)
            return OfCaduceus(found, config);
        var prefixed = TensorTable.IsPrefixed(found);
        var ownHead = !config.TieEmbeddings && (prefixed || found.Any(tensor => tensor.Name == TensorTable.Head));
        return new(ownHead, config.TieEmbeddings || ownHead, name => name, name => TensorTable.NameOf(name, prefixed));
    }

    /// <summary>The name in the files, for messages.</summary>
    public string Theirs(string name) => _theirs(name);

    /// <summary>The name in our models of a name in the files; unknown ones stay as they are.</summary>
    public string Ours(string name) => _ours(name);

    private static CheckpointNames OfCaduceus(IReadOnlyList<StoredTensor> found, CheckpointConfig config)
    {
        var head = CaduceusLayout.IsInsideModel(found);
        var ownHead = head && !config.TieEmbeddings;
        string Theirs(string name) => CaduceusLayout.NameOf(name, config.Model, head);
        var ours = TensorTable.Of(config.Model, head).Select(tensor => tensor.Name)
            .Concat(TensorTable.Twins(config.Model, tieEmbeddings: false).Select(twin => twin.Name))
            .Concat(CaduceusLayout.Maps)
            .ToDictionary(Theirs);
        return new(ownHead, head, Theirs, name => ours.GetValueOrDefault(name, name));
    }
}
