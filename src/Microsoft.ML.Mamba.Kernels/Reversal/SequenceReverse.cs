using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Reverses each sequence of a right-padded batch within its own length; padding is copied in place. It is its own inverse,
/// and its own gradient.
/// </summary>
public static unsafe class SequenceReverse
{
    /// <summary>Bytes per work item: some ten microseconds, against one or two for handing it to a thread.</summary>
    private const long ItemBytes = 256 * 1024;

    /// <summary>Copies rows: y[b, t] = x[b, lengths[b] - 1 - t] for t &lt; lengths[b], else x[b, t].</summary>
    /// <typeparam name="T">Any element type without references.</typeparam>
    /// <param name="x">x, (B·L, D), any row stride.</param>
    /// <param name="lengths">Length of each of the B sequences, 0 to L.</param>
    /// <param name="length">L, rows per sequence.</param>
    /// <param name="y">Output, (B·L, D), any row stride; must not overlap x.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape or a length does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Apply<T>(Rows<T> x, ReadOnlySpan<int> lengths, long length, Rows<T> y, int threads = 0)
        where T : unmanaged
    {
        SequenceReverseArguments.Require(x, lengths, length, y);
        var blocks = RowBlocks.OfElements(lengths.Length * length, x.Width * sizeof(T), ItemBytes);
        fixed (int* pinned = lengths)
        {
            KernelThreads.For(blocks.Count, threads, new Work<T>(x, pinned, length, y, blocks));
        }
    }

    private readonly struct Work<T>(Rows<T> x, int* lengths, long length, Rows<T> y, RowBlocks blocks) : IKernelWork
        where T : unmanaged
    {
        public void Run(long item, int worker)
        {
            for (var row = blocks.First(item); row < blocks.End(item); row++)
            {
                var (b, t) = (row / length, row % length);
                var source = t < lengths[b] ? row - t + lengths[b] - 1 - t : row;
                NativeMemory.Copy(x.Row(source), y.Row(row), (nuint)x.Width * (nuint)sizeof(T));
            }
        }
    }
}
