namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Element types of the CUDA kernels' inputs and outputs; all of them compute in float32.</summary>
public enum CudaNumber
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>float16.</summary>
    Float16,
}

/// <summary>What kernels need to know of an element type.</summary>
internal static class CudaNumbers
{
    public static IReadOnlyList<CudaNumber> All { get; } = [CudaNumber.Float32, CudaNumber.BFloat16, CudaNumber.Float16];

    public static int Bytes(this CudaNumber type) => type == CudaNumber.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Its name in CUDA C++.</summary>
    public static string Name(this CudaNumber type) => type switch
    {
        CudaNumber.Float32 => "float",
        CudaNumber.BFloat16 => "bf16",
        CudaNumber.Float16 => "f16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such element type; expected Float32, BFloat16 or Float16."),
    };
}
