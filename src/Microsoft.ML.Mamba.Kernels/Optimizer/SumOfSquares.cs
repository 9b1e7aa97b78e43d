namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The sum of the squares of all elements: its root, over all gradients, is the length that clipping bounds. Blocks are summed in
/// float vectors, their sums in double in the order of the blocks, so that the result does not depend on the number of threads.
/// </summary>
public static class SumOfSquares
{
    /// <summary>Sums.</summary>
    /// <param name="values">Any shape without gaps between rows.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <returns>The sum; 0 when there are no elements; not finite when an element is not, or its square exceeds float's range.</returns>
    /// <exception cref="ArgumentException">There are gaps between rows.</exception>
    public static double Of(Rows<float> values, int threads = 0)
    {
        values.RequireDense("SumOfSquares", "values", values.Count, values.Width);
        var sum = new double[1];
        SimdWidth.Dispatch(new Body(values, sum, threads));
        return sum[0];
    }

    private readonly unsafe struct Body(Rows<float> values, double[] sum, int threads) : IVectorBody
    {
        /// <summary>Elements per work item: some microseconds, against one or two for handing it to a thread.</summary>
        private const long ItemElements = 32 * 1024;

        public void Run<V>()
            where V : struct, IFloatVector<V>
        {
            var blocks = new RowBlocks(values.Count * values.Width, ItemElements);
            var parts = new double[blocks.Count];
            fixed (double* pinned = parts)
            {
                KernelThreads.For(blocks.Count, threads, new Work<V>(values.Pointer, blocks, pinned));
            }

            foreach (var part in parts)
            {
                sum[0] += part;
            }
        }
    }

    private readonly unsafe struct Work<V>(float* values, RowBlocks blocks, double* parts) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker) =>
            parts[item] = RmsNormRow<V>.Squares(values + blocks.First(item), blocks.End(item) - blocks.First(item));
    }
}
