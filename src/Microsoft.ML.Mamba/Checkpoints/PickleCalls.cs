namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>The three calls and the one reference that a pickle of weights makes, with every argument checked.</summary>
internal static class PickleCalls
{
    private const int MaxRank = 8;

    /// <summary>OrderedDict(), _rebuild_tensor_v2(storage, offset, size, stride, …) or _rebuild_parameter(tensor, …).</summary>
    public static object Call(object? callable, object? arguments, string file) =>
        (callable as PickleGlobal, (arguments as PickleTuple)?.Items) switch
        {
            ({ Kind: PickleGlobalKind.OrderedDict }, []) => new PickleDict([]),
            ({ Kind: PickleGlobalKind.RebuildParameter }, [PickleTensor tensor, ..]) => tensor,
            ({ Kind: PickleGlobalKind.RebuildTensor }, [PickleStorage storage, long offset, PickleTuple size, PickleTuple stride, ..]) =>
                Tensor(storage, offset, Integers(size), Integers(stride), file),
            ({ } known, _) => throw Bad(file, $"a call of {known.Kind} with arguments that it does not take"),
            _ => throw Bad(file, "a call of what is not a function"),
        };

    /// <summary>('storage', type, key, device, elements); the device does not matter.</summary>
    public static PickleStorage Storage(object? id, string file) =>
        id is PickleTuple { Items: ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage } global, string key, string, long count] } && count >= 0
            ? new PickleStorage(global.Type, key, count)
            : throw Bad(file, "a reference to what is not a storage");

    private static PickleTensor Tensor(PickleStorage storage, long offset, long[]? shape, long[]? strides, string file)
    {
        if (shape is null || strides is null || shape.Length != strides.Length || shape.Length > MaxRank || offset < 0)
            throw Bad(file, $"a tensor of storage '{storage.Key}' whose size, stride and offset are not whole numbers ≥ 0 of equal count, at most {MaxRank}");
        return new PickleTensor(storage, offset, shape, strides);
    }

    private static long[]? Integers(PickleTuple tuple) =>
        tuple.Items.All(item => item is long and >= 0) ? [.. tuple.Items.Cast<long>()] : null;

    private static MambaCheckpointException Bad(string file, string what) => new($"{file}: the pickle holds {what}; it is damaged.");
}
