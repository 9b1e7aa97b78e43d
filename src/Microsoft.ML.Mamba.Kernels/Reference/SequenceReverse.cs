namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>The truth that <see cref="Kernels.SequenceReverse"/> is compared with: one element at a time.</summary>
public static unsafe class SequenceReverse
{
    /// <inheritdoc cref="Kernels.SequenceReverse.Apply"/>
    /// <typeparam name="T">Any element type without references.</typeparam>
    public static void Apply<T>(Rows<T> x, ReadOnlySpan<int> lengths, long length, Rows<T> y)
        where T : unmanaged
    {
        SequenceReverseArguments.Require(x, lengths, length, y);
        for (var b = 0; b < lengths.Length; b++)
        {
            for (long t = 0; t < length; t++)
            {
                var source = t < lengths[b] ? lengths[b] - 1 - t : t;
                for (long c = 0; c < x.Width; c++)
                {
                    y.Row(b * length + t)[c] = x.Row(b * length + source)[c];
                }
            }
        }
    }
}
