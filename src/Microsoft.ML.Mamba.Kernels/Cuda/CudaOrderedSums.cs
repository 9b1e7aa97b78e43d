using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Sums over the rows of partial results in a fixed order: how gradients of weights end without atomics.</summary>
internal static class CudaOrderedSums
{
    private const int Columns = 32;
    private const int Threads = 1024;

    public static IReadOnlyList<CudaKernelVariant> Variants { get; } = [new("ordered_sums", "ordered_sums")];

    /// <summary>The launch; none when no sum is wanted.</summary>
    /// <param name="partials">(rows, planes, channels) floats; planes are the taps, then one for a bias, then one for a skip.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="taps">Numbers per channel of the weight.</param>
    /// <param name="planes">Planes of a row.</param>
    /// <param name="dWeight">Output, (channels, taps) floats, or 0.</param>
    /// <param name="dBias">Output, (channels) floats, or 0.</param>
    /// <param name="dSkip">Output, (channels) floats, or 0.</param>
    public static CudaLaunch<CudaOrderedSumsArguments> Plan(nint partials, long rows, long channels, int taps, int planes, nint dWeight, nint dBias, nint dSkip = 0)
    {
        return new(
            Variants[0],
            new CudaOrderedSumsArguments { Partials = partials, Weight = dWeight, Bias = dBias, Skip = dSkip, Rows = rows, Channels = channels, Taps = taps, Planes = planes },
            dWeight == 0 && dBias == 0 && dSkip == 0 ? 0 : (planes * channels + Columns - 1) / Columns,
            Threads);
    }
}

/// <summary>Parameters of ordered_sums.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("ordered_sums.cuh", "OrderedSumsParams")]
internal struct CudaOrderedSumsArguments
{
    public nint Partials;
    public nint Weight;
    public nint Bias;
    public nint Skip;
    public long Rows;
    public long Channels;
    public int Taps;
    public int Planes;
}
