using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>The sum of the squares of float32 numbers in a GPU's memory, see <see cref="SumOfSquares"/>; the result stays there.</summary>
public static class CudaSumOfSquares
{
    private const string Source = "sum_of_squares";
    private const int Threads = 256;
    private const int Pack = 4;
    private const int BlocksPerMultiprocessor = 4;

    private static readonly CudaKernelFamily<(string Function, int Pack)> Kernels = new(k => new(Source, k.Function, $"VECTOR={k.Pack}"));

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
        [.. from function in new[] { "squares_of_blocks", "sum_of_blocks" } from pack in new[] { 1, Pack } select Variant(function, pack)];

    /// <summary>Doubles of memory that <see cref="Of"/> needs for its partial sums.</summary>
    /// <param name="device">The GPU.</param>
    public static int Scratch(CudaDevice device) => device.Multiprocessors * BlocksPerMultiprocessor;

    /// <summary>Sums.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="values">Address of the numbers.</param>
    /// <param name="count">How many.</param>
    /// <param name="scratch">Address of <see cref="Scratch"/> doubles on the device.</param>
    /// <param name="result">Address of the double on the device that is to hold the sum.</param>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Of(CudaDevice device, nint values, long count, nint scratch, nint result)
    {
        var (blocks, sum) = Plan(device.Multiprocessors, values, count, scratch, result);
        blocks.On(device);
        sum.On(device);
    }

    internal static (CudaLaunch<CudaSquaresArguments> Blocks, CudaLaunch<CudaSquaresArguments> Sum) Plan(
        int multiprocessors, nint values, long count, nint scratch, nint result)
    {
        var pack = values % (Pack * sizeof(float)) == 0 ? Pack : 1;
        var blocks = (int)Math.Min((count + Threads * pack - 1) / (Threads * pack), multiprocessors * BlocksPerMultiprocessor);
        var arguments = new CudaSquaresArguments { Values = values, Partials = scratch, Result = result, Count = count, Blocks = blocks };
        return (new(Variant("squares_of_blocks", pack), arguments, blocks, Threads), new(Variant("sum_of_blocks", pack), arguments, 1, Threads));
    }

    private static CudaKernelVariant Variant(string function, int pack) => Kernels[(function, pack)];
}

/// <summary>Parameters of squares_of_blocks and sum_of_blocks.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("sum_of_squares.cuh", "SquaresParams")]
internal struct CudaSquaresArguments
{
    public nint Values;
    public nint Partials;
    public nint Result;
    public long Count;
    public int Blocks;
}
