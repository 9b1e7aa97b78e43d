using System.Text;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// A file of torch.save since PyTorch 1.6: a zip archive with NAME/data.pkl, which describes the tensors, and NAME/data/KEY, the bytes
/// of each storage. Only weights are read; see <see cref="PickleReader"/>.
/// </summary>
internal static class TorchArchive
{
    private const string Pickle = "/data.pkl";
    private const int MaxPickle = 1 << 22;

    /// <summary>Finds and checks every tensor; reads none.</summary>
    /// <exception cref="MambaCheckpointException">The file is not valid, or holds more than weights.</exception>
    public static IReadOnlyList<StoredTensor> List(CheckpointFile file) => file.Read(stream =>
    {
        var members = ZipMembers.Read(file, stream);
        var pickles = members.Keys.Where(name => name.EndsWith(Pickle, StringComparison.Ordinal)).ToArray();
        if (pickles.Length != 1)
            throw Bad(file, $"the archive has {pickles.Length} members named data.pkl; expected one, as torch.save writes it.");
        var root = pickles[0][..^Pickle.Length];
        CheckByteOrder(file, stream, members, root);
        var (offset, length) = members[pickles[0]];
        if (length > MaxPickle)
            throw Bad(file, $"its data.pkl has {length} bytes; expected at most {MaxPickle}.");
        var content = PickleReader.Read(file.Bytes(stream, offset, length), file.Name);
        if (content is not PickleDict dict)
            throw Bad(file, "the pickle is not a dict of tensors. Save the weights alone: torch.save(model.state_dict(), …).");
        return Tensors(file, dict, key => members.TryGetValue($"{root}/data/{key}", out var found) ? found : null);
    });

    private static void CheckByteOrder(CheckpointFile file, Stream stream, Dictionary<string, (long Offset, long Length)> members, string root)
    {
        if (!members.TryGetValue($"{root}/byteorder", out var member))
            return;
        var order = Encoding.ASCII.GetString(file.Bytes(stream, member.Offset, Math.Min(member.Length, 16)));
        if (order != "little")
            throw Bad(file, $"its numbers have byte order '{order}'; expected 'little'.");
    }

    private static List<StoredTensor> Tensors(CheckpointFile file, PickleDict dict, Func<string, (long Offset, long Length)?> find)
    {
        var problems = new CheckpointProblems();
        var tensors = new List<StoredTensor>();
        var names = new HashSet<string>();
        foreach (var (key, value) in dict.Items)
        {
            if (key is not string name || value is not PickleTensor tensor)
                problems.Add(file.Name, $"entry '{key as string ?? "?"}' of the pickle is not a tensor under a name.");
            else if (!names.Add(name))
                problems.Add(file.Name, $"tensor '{name}' comes twice.");
            else if (Locate(file, name, tensor, find(tensor.Storage.Key), problems) is { } stored)
                tensors.Add(stored);
        }

        problems.ThrowIfAny();
        return tensors;
    }

    private static StoredTensor? Locate(CheckpointFile file, string name, PickleTensor tensor, (long Offset, long Length)? member, CheckpointProblems problems)
    {
        var storage = tensor.Storage;
        var elementSize = TensorEntry.SizeOf(storage.Type, []);
        if (member is not { } bytes)
        {
            problems.Add(file.Name, $"tensor '{name}' lies in storage '{storage.Key}', which the archive does not have.");
            return null;
        }

        if (storage.Count > bytes.Length / elementSize || storage.Count * elementSize != bytes.Length)
        {
            problems.Add(file.Name, $"storage '{storage.Key}' of tensor '{name}' has {bytes.Length} bytes; expected {storage.Count} elements of {elementSize}.");
            return null;
        }

        if (!Fits(tensor))
        {
            problems.Add(
                file.Name,
                $"tensor '{name}' of shape ({string.Join(", ", tensor.Shape)}), strides ({string.Join(", ", tensor.Strides)}) and offset {tensor.Offset} does not fit its storage of {storage.Count} elements.");
            return null;
        }

        var strides = IsRowMajor(tensor) ? null : tensor.Strides;
        return new StoredTensor(name, file, storage.Type, tensor.Shape, bytes.Offset + tensor.Offset * elementSize, strides);
    }

    /// <summary>Every element lies inside the storage, and there are no more of them than the storage has.</summary>
    private static bool Fits(PickleTensor tensor)
    {
        var available = tensor.Storage.Count;
        Int128 count = 1, last = tensor.Offset;
        for (var i = 0; i < tensor.Shape.Length; i++)
        {
            count *= tensor.Shape[i];
            last += (Int128)Math.Max(0, tensor.Shape[i] - 1) * tensor.Strides[i];
            if (count > available || last > available)
                return false;
        }

        return count == 0 ? tensor.Offset <= available : last < available;
    }

    private static bool IsRowMajor(PickleTensor tensor)
    {
        long expected = 1;
        for (var i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            if (tensor.Shape[i] != 1 && tensor.Strides[i] != expected)
                return false;
            expected *= tensor.Shape[i];
        }

        return true;
    }

    private static MambaCheckpointException Bad(CheckpointFile file, string what) => new($"{file.Name}: {what}");
}
