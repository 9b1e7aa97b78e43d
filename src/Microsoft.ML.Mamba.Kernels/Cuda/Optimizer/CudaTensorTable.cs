using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// A table of the tensors that one launch works through, as it goes to the GPU's memory. Each tensor has blocks of its own: a launch
/// for each would take longer than most of them.
/// </summary>
public sealed class CudaTensorTable
{
    private const int BlockElements = 16 * 1024;

    private CudaTensorTable(long[] words, int count, long blocks) => (Words, Count, Blocks) = (words, count, blocks);

    /// <summary>The table's content.</summary>
    public long[] Words { get; }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>Blocks of all tensors together.</summary>
    public long Blocks { get; }

    /// <summary>What kernels over tables are compiled with.</summary>
    internal static string Define { get; } = $"ELEMENTS={BlockElements}";

    /// <summary>Threads of a block.</summary>
    internal const int Threads = 256;

    /// <param name="count">Number of tensors.</param>
    /// <param name="row">The row of a tensor, which is told its first block.</param>
    /// <param name="elements">Elements of a tensor.</param>
    internal static CudaTensorTable Of<TRow>(int count, Func<int, long> elements, Func<int, long, TRow> row)
        where TRow : unmanaged
    {
        var rows = new TRow[count];
        long blocks = 0;
        for (var i = 0; i < count; i++)
        {
            rows[i] = row(i, blocks);
            blocks += (elements(i) + BlockElements - 1) / BlockElements;
        }

        return new CudaTensorTable(MemoryMarshal.Cast<TRow, long>(rows).ToArray(), count, blocks);
    }
}
