namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>Finds the tensors of a checkpoint's files, one file or several with an index, and lists what is wrong with them.</summary>
internal static class WeightFiles
{
    private const string IndexSuffix = ".index.json";

    /// <summary>In the order in which they are looked for.</summary>
    private static readonly string[] Names = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>The tensors of the files of a folder.</summary>
    public static IReadOnlyList<StoredTensor> In(string directory, CheckpointProblems problems)
    {
        foreach (var name in Names)
        {
            if (File.Exists(Path.Combine(directory, name)))
                return Of([CheckpointFile.At(Path.Combine(directory, name))], problems);
            if (File.Exists(Path.Combine(directory, name + IndexSuffix)))
                return Sharded(directory, CheckpointFile.At(Path.Combine(directory, name + IndexSuffix)), problems);
        }

        problems.Add(directory, $"it holds no weights; expected {string.Join(" or ", Names)}, or one of them with {IndexSuffix} added and the files that it names.");
        return [];
    }

    /// <summary>The tensors of some files: safetensors or archives of torch.save, told apart by their first bytes.</summary>
    public static IReadOnlyList<StoredTensor> Of(IReadOnlyList<CheckpointFile> files, CheckpointProblems problems)
    {
        var tensors = new List<StoredTensor>();
        foreach (var file in files)
        {
            if (problems.Try(() => List(file), out var found))
                tensors.AddRange(found);
        }

        return tensors;
    }

    private static IReadOnlyList<StoredTensor> Sharded(string directory, CheckpointFile indexFile, CheckpointProblems problems)
    {
        if (!problems.Try(() => ShardIndex.Read(indexFile), out var index))
            return [];
        var own = new CheckpointProblems();
        var files = index.Files.ToLookup(name => File.Exists(Path.Combine(directory, name)));
        foreach (var name in files[false])
            own.Add(indexFile.Name, $"it names {name}, which is not beside it.");
        var tensors = Of([.. files[true].Select(name => CheckpointFile.At(Path.Combine(directory, name)))], own);
        if (!own.Any)
            index.Check(tensors, own);
        problems.Add(own);
        return tensors;
    }

    private static IReadOnlyList<StoredTensor> List(CheckpointFile file) =>
        file.Name.EndsWith(".bin", StringComparison.Ordinal) || StartsAsArchive(file) ? TorchArchive.List(file) : file.Read(stream => Header(file, stream));

    private static bool StartsAsArchive(CheckpointFile file) =>
        file.Length >= 4 && file.Read(stream => file.Bytes(stream, 0, 4)).AsSpan().SequenceEqual("PK\x03\x04"u8);

    private static IReadOnlyList<StoredTensor> Header(CheckpointFile file, Stream stream)
    {
        var header = SafeTensorsHeader.Read(stream, file.Length, file.Name);
        return [.. header.Entries.Select(entry => new StoredTensor(entry.Name, file, entry.Type, entry.Shape, header.DataStart + entry.Begin))];
    }
}
