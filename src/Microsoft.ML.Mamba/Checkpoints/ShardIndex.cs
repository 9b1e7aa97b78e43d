using System.Text.Json;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>An index beside a checkpoint in several files: which file holds which tensor.</summary>
internal sealed class ShardIndex
{
    private const long MaxLength = 1 << 26;

    private readonly string _name;
    private readonly Dictionary<string, string> _fileOf;

    private ShardIndex(string name, Dictionary<string, string> fileOf) => (_name, _fileOf) = (name, fileOf);

    /// <summary>Names of the files, each once.</summary>
    public IEnumerable<string> Files => _fileOf.Values.Distinct().Order(StringComparer.Ordinal);

    /// <summary>Reads an index such as model.safetensors.index.json.</summary>
    /// <exception cref="MambaCheckpointException">It is not valid, or names a file outside of its folder.</exception>
    public static ShardIndex Read(CheckpointFile file)
    {
        var root = JsonText.Read(file, MaxLength);
        if (!root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new MambaCheckpointException($"{file.Name}: weight_map is missing; expected an object of tensor names and file names.");
        var problems = new CheckpointProblems();
        var fileOf = new Dictionary<string, string>();
        foreach (var entry in map.EnumerateObject())
        {
            var value = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : null;
            if (value is null || !IsPlainName(value))
                problems.Add(file.Name, $"tensor '{entry.Name}' lies in {entry.Value.GetRawText()}; expected the name of a file beside the index.");
            else
                fileOf[entry.Name] = value;
        }

        problems.ThrowIfAny();
        return new ShardIndex(file.Name, fileOf);
    }

    /// <summary>Compares the index with what the files hold.</summary>
    public void Check(IReadOnlyList<StoredTensor> tensors, CheckpointProblems problems)
    {
        var expected = new Dictionary<string, string>(_fileOf);
        foreach (var tensor in tensors)
        {
            if (!expected.Remove(tensor.Name, out var file) && !_fileOf.ContainsKey(tensor.Name))
                problems.Add(tensor.File.Name, $"tensor '{tensor.Name}' is not in {_name}.");
            else if (file is not null && file != tensor.File.Name)
                problems.Add(_name, $"tensor '{tensor.Name}' should lie in {file}; it lies in {tensor.File.Name}.");
        }

        foreach (var (name, file) in expected)
            problems.Add(_name, $"tensor '{name}' should lie in {file}, which does not have it.");
    }

    private static bool IsPlainName(string name) =>
        name.Length is > 0 and <= 255 && name is not ("." or "..") && name.IndexOfAny(['/', '\\', ':', '\0']) < 0;
}
