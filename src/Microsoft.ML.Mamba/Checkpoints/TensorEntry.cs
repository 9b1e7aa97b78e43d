using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>One tensor as the header of a safetensors file describes it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes, row-major.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
internal sealed record TensorEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
{
    private static readonly (string Name, ScalarType Type, int Size)[] Types =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>Names of the element types that are read and written.</summary>
    public static string TypeNames { get; } = string.Join(", ", Types.Select(t => t.Name));

    public static ScalarType? TypeOf(string name) =>
        Array.Find(Types, t => t.Name == name) is { Size: > 0 } found ? found.Type : null;

    public static string? NameOf(ScalarType type) => Array.Find(Types, t => t.Type == type).Name;

    /// <summary>Bytes of a tensor of this type and shape.</summary>
    /// <exception cref="OverflowException">They do not fit into 63 bits.</exception>
    public static long SizeOf(ScalarType type, IEnumerable<long> shape) =>
        shape.Aggregate((long)Array.Find(Types, t => t.Type == type).Size, (product, size) => checked(product * size));
}
