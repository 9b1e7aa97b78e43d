using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary><see cref="RmsNorm.Forward"/> in vectors; work items are blocks of rows.</summary>
internal readonly unsafe struct RmsNormForwardBody(
    Rows<float> x, Rows<float> residual, Rows<float> weight, double epsilon, Rows<float> y, Rows<float> residualOut, int threads) : IVectorBody
{
    /// <summary>Floats per work item: some ten microseconds, against one or two for handing it to a thread.</summary>
    private const long ItemElements = 32 * 1024;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var blocks = RowBlocks.OfElements(x.Count, x.Width, ItemElements);
        if (residual.IsAbsent || !residualOut.IsAbsent)
        {
            KernelThreads.For(blocks.Count, threads, new Work<V>(x, residual, weight, epsilon, y, residualOut, blocks, null));
            return;
        }

        using var sums = new PooledFloats(KernelThreads.Workers(blocks.Count, threads) * PooledFloats.Padded(x.Width));
        KernelThreads.For(blocks.Count, threads, new Work<V>(x, residual, weight, epsilon, y, default, blocks, sums.Pointer));
    }

    /// <summary>Each worker has a row of sums for an x + residual that nobody keeps.</summary>
    private readonly struct Work<V>(
        Rows<float> x, Rows<float> residual, Rows<float> weight, double epsilon, Rows<float> y, Rows<float> residualOut, RowBlocks blocks, float* sums) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker)
        {
            var width = x.Width;
            for (var row = blocks.First(item); row < blocks.End(item); row++)
            {
                var source = x.Row(row);
                var s = !residualOut.IsAbsent ? residualOut.Row(row) : residual.IsAbsent ? source : sums + worker * PooledFloats.Padded(width);
                if (residual.IsAbsent && s != source)
                {
                    NativeMemory.Copy(source, s, (nuint)width * sizeof(float));
                }

                var squares = residual.IsAbsent ? RmsNormRow<V>.Squares(s, width) : RmsNormRow<V>.AddSquares(source, residual.Row(row), s, width);
                RmsNormRow<V>.Scale(s, RmsNormRow<V>.InverseRoot(squares, width, epsilon), weight.Pointer, y.Row(row), width);
            }
        }
    }
}
