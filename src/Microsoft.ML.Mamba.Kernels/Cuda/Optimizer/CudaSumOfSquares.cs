using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>The sum of the squares of float32 numbers in a GPU's memory, see <see cref="SumOfSquares"/>: two launches, however many tensors there are.</summary>
public static class CudaSumOfSquares
{
    private static readonly CudaKernelVariant OfBlocks = new("sum_of_squares", "squares_of_blocks", CudaTensorTable.Define);
    private static readonly CudaKernelVariant BlockSums = new("sum_of_squares", "sum_of_blocks", CudaTensorTable.Define);

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } = [OfBlocks, BlockSums];

    /// <summary>The table of tensors to sum over, in which the order of the sum is that of the tensors.</summary>
    /// <param name="tensors">Address and number of elements of each.</param>
    public static CudaTensorTable Table(IReadOnlyList<(nint Values, long Count)> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return CudaTensorTable.Of(
            tensors.Count, i => tensors[i].Count, (i, firstBlock) => new CudaSquaresRow { Values = tensors[i].Values, Count = tensors[i].Count, FirstBlock = firstBlock });
    }

    /// <summary>Sums.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="table">What <see cref="Table"/> gave.</param>
    /// <param name="address">Address of the table's words on the device.</param>
    /// <param name="scratch">Address of one double on the device for each of the table's blocks.</param>
    /// <param name="result">Address of the double on the device that is to hold the sum.</param>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Of(CudaDevice device, CudaTensorTable table, nint address, nint scratch, nint result)
    {
        var (blocks, sum) = Plan(table, address, scratch, result);
        blocks.On(device);
        sum.On(device);
    }

    internal static (CudaLaunch<CudaSquaresArguments> Blocks, CudaLaunch<CudaSquaresArguments> Sum) Plan(CudaTensorTable table, nint address, nint scratch, nint result)
    {
        var arguments = new CudaSquaresArguments { Rows = address, Partials = scratch, Result = result, Count = table.Count, Blocks = checked((int)table.Blocks) };
        return (new(OfBlocks, arguments, table.Blocks, CudaTensorTable.Threads), new(BlockSums, arguments, 1, CudaTensorTable.Threads));
    }
}

/// <summary>A row of the table of squares_of_blocks.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("sum_of_squares.cuh", "SquaresRow")]
internal struct CudaSquaresRow
{
    public nint Values;
    public long Count;
    public long FirstBlock;
}

/// <summary>Parameters of squares_of_blocks and sum_of_blocks.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("sum_of_squares.cuh", "SquaresParams")]
internal struct CudaSquaresArguments
{
    public nint Rows;
    public nint Partials;
    public nint Result;
    public int Count;
    public int Blocks;
}
