using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Dropout in a GPU's memory whose mask is a function of a key and of each value's place.</summary>
public static class CudaCounterDropout
{
    private const int Threads = 256;
    private const int PackBytes = 16;
    private const long MaxBlocks = 1 << 20;

    private static readonly CudaKernelFamily<(CudaNumber Type, int Pack)> Kernels = new(k => new("counter_dropout", "counter_dropout", $"REAL={k.Type.Name()}", $"VECTOR={k.Pack}"));

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
        [.. from type in CudaNumbers.All from pack in new[] { 1, PackBytes / type.Bytes() } select Variant(type, pack)];

    /// <summary>y = x·scale, or 0 where the hash of the value's place is below the threshold.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="type">Element type of x and y.</param>
    /// <param name="x">Address of the values, which lie without gaps.</param>
    /// <param name="y">Address of the results; may be x.</param>
    /// <param name="count">Number of values.</param>
    /// <param name="key">Chooses the mask.</param>
    /// <param name="threshold">Share of dropped values, of 2^32 - 1.</param>
    /// <param name="scale">Factor of the others.</param>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Apply(CudaDevice device, CudaNumber type, nint x, nint y, long count, ulong key, uint threshold, float scale) =>
        Plan(type, x, y, count, key, threshold, scale).On(device);

    internal static CudaLaunch<CudaDropoutArguments> Plan(CudaNumber type, nint x, nint y, long count, ulong key, uint threshold, float scale)
    {
        var pack = (x | y) % PackBytes == 0 ? PackBytes / type.Bytes() : 1;
        return new(
            Variant(type, pack),
            new CudaDropoutArguments { X = x, Y = y, Count = count, Key = unchecked((long)key), Threshold = unchecked((int)threshold), Scale = scale },
            Math.Min((count + Threads * pack - 1) / (Threads * pack), MaxBlocks),
            Threads);
    }

    private static CudaKernelVariant Variant(CudaNumber type, int pack) => Kernels[(type, pack)];
}

/// <summary>Parameters of counter_dropout.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("counter_dropout.cuh", "DropoutParams")]
internal struct CudaDropoutArguments
{
    public nint X;
    public nint Y;
    public long Count;
    public long Key;
    public int Threshold;
    public float Scale;
}
