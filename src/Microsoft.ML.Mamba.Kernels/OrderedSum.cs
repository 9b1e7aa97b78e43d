namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Adds partial results in the order of their work items, so that a sum does not depend on which thread finished first.
/// Work items are blocks of rows.
/// </summary>
internal readonly unsafe struct OrderedSum<V> : IKernelWork
    where V : struct, IFloatVector<V>
{
    private const int RowsPerItem = 64;

    private readonly float* _partials;
    private readonly long _count;
    private readonly Rows<float> _sum;

    private OrderedSum(float* partials, long count, Rows<float> sum)
    {
        _partials = partials;
        _count = count;
        _sum = sum;
    }

    /// <summary>Writes the sum of <paramref name="count"/> matrices that lie one after the other, each of the shape of <paramref name="sum"/>; zeros when there are none.</summary>
    /// <param name="partials">Address of the matrices, each without gaps.</param>
    /// <param name="count">Number of matrices, ≥ 0.</param>
    /// <param name="sum">Where the sum goes; nothing is done when absent.</param>
    /// <param name="threads">Threads at most.</param>
    public static void Write(float* partials, long count, Rows<float> sum, int threads)
    {
        if (!sum.IsEmpty)
        {
            KernelThreads.For((sum.Count + RowsPerItem - 1) / RowsPerItem, threads, new OrderedSum<V>(partials, count, sum));
        }
    }

    public void Run(long item, int worker)
    {
        for (var row = item * RowsPerItem; row < Math.Min(_sum.Count, (item + 1) * RowsPerItem); row++)
        {
            SumRow(_partials + row * _sum.Width, _sum.Row(row));
        }
    }

    private void SumRow(float* partial, float* to)
    {
        var (width, stride) = (_sum.Width, _sum.Count * _sum.Width);
        long column = 0;
        for (; column <= width - V.Count; column += V.Count)
        {
            var sum = V.Zero;
            for (long i = 0; i < _count; i++)
            {
                sum += V.Load(partial + i * stride + column);
            }

            V.Store(sum, to + column);
        }

        for (; column < width; column++)
        {
            var sum = 0f;
            for (long i = 0; i < _count; i++)
            {
                sum += partial[i * stride + column];
            }

            to[column] = sum;
        }
    }
}
