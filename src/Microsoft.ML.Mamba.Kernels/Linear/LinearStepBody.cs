namespace Microsoft.ML.Mamba.Kernels;

/// <summary><see cref="LinearStep.Apply"/> in vectors along the inputs; work items are blocks of rows of weights.</summary>
internal readonly struct LinearStepBody(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y, int threads) : IVectorBody
{
    /// <summary>Weights per work item at most: some microseconds of reading.</summary>
    private const long MostItemElements = 32 * 1024;

    /// <summary>And at least: taking an item costs a tenth of a microsecond.</summary>
    private const long LeastItemElements = 4 * 1024;

    /// <summary>Items that even out the threads of a small product, of which one wakes a little later.</summary>
    private const long EnoughItems = 16;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        if (!y.IsEmpty)
        {
            var elements = Math.Clamp(weight.Count * weight.Width / EnoughItems, LeastItemElements, MostItemElements);
            var blocks = RowBlocks.OfElements(weight.Count, weight.Width, elements);
            KernelThreads.For(blocks.Count, threads, new Work<V>(x, weight, bias, y, blocks));
        }
    }

    private readonly struct Work<V>(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y, RowBlocks blocks) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker) => LinearBlock<V>.Multiply(x, weight, bias, y, blocks.First(item), blocks.End(item));
    }
}
