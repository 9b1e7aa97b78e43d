namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Reverses each sequence of a right-padded batch within its own length; padding is copied in place. It is its own inverse,
/// and its own gradient.
/// </summary>
public static class SequenceReverse
{
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
        Reference.SequenceReverse.Apply(x, lengths, length, y);
    }
}
