using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A tuple of a pickle.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A list of a pickle.</summary>
internal sealed record PickleList(List<object?> Items);

/// <summary>A dict or OrderedDict of a pickle, in the order of the file; a key may come twice.</summary>
internal sealed record PickleDict(List<(object? Key, object? Value)> Items);

/// <summary>The bytes under some tensors: torch's persistent id.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Key">Name of the member that holds them.</param>
/// <param name="Count">Elements.</param>
internal sealed record PickleStorage(ScalarType Type, string Key, long Count);

/// <summary>A tensor: a view of a storage.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>One of the few names that a pickle may refer to.</summary>
/// <param name="Kind">What it stands for.</param>
/// <param name="Type">Element type of a storage.</param>
internal sealed record PickleGlobal(PickleGlobalKind Kind, ScalarType Type = ScalarType.Float32)
{
    private static readonly Dictionary<string, PickleGlobal> Known = new()
    {
        ["collections.OrderedDict"] = new(PickleGlobalKind.OrderedDict),
        ["torch._utils._rebuild_tensor_v2"] = new(PickleGlobalKind.RebuildTensor),
        ["torch._utils._rebuild_parameter"] = new(PickleGlobalKind.RebuildParameter),
        ["torch.DoubleStorage"] = new(PickleGlobalKind.Storage, ScalarType.Float64),
        ["torch.FloatStorage"] = new(PickleGlobalKind.Storage, ScalarType.Float32),
        ["torch.HalfStorage"] = new(PickleGlobalKind.Storage, ScalarType.Float16),
        ["torch.BFloat16Storage"] = new(PickleGlobalKind.Storage, ScalarType.BFloat16),
        ["torch.LongStorage"] = new(PickleGlobalKind.Storage, ScalarType.Int64),
        ["torch.IntStorage"] = new(PickleGlobalKind.Storage, ScalarType.Int32),
        ["torch.ShortStorage"] = new(PickleGlobalKind.Storage, ScalarType.Int16),
        ["torch.CharStorage"] = new(PickleGlobalKind.Storage, ScalarType.Int8),
        ["torch.ByteStorage"] = new(PickleGlobalKind.Storage, ScalarType.Byte),
        ["torch.BoolStorage"] = new(PickleGlobalKind.Storage, ScalarType.Bool),
    };

    /// <summary>The global of this name, or null when a checkpoint has no business with it.</summary>
    public static PickleGlobal? Find(string module, string name) => Known.GetValueOrDefault($"{module}.{name}");
}

/// <summary>What a global of a pickle stands for.</summary>
internal enum PickleGlobalKind
{
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage,
}
