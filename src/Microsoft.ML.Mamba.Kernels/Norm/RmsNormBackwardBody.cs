using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// <see cref="RmsNorm.Backward"/> in vectors. With s and r of the forward pass and g = dy·weight,
/// <code>
/// dx = r·g - s·r³·mean(g·s) + dResidualOut,   dweight = sum over rows of dy·s·r
/// </code>
/// Work items are blocks of rows; each sums its own part of dweight, and the parts are added in order.
/// </summary>
internal readonly unsafe struct RmsNormBackwardBody(
    Rows<float> sum, Rows<float> weight, double epsilon, Rows<float> dy, Rows<float> dResidualOut, Rows<float> dx, Rows<float> dWeight, int threads) : IVectorBody
{
    private const long ItemElements = 32 * 1024;

    /// <summary>Rows per work item at least: its part of dweight is one row to write and to read again.</summary>
    private const long ItemRows = 64;

    /// <summary>Work items at most: bounds the memory of the parts.</summary>
    private const long MostItems = 64;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var least = RowBlocks.OfElements(sum.Count, sum.Width, ItemElements);
        var blocks = new RowBlocks(sum.Count, Math.Max(Math.Max(ItemRows, least.Size), (sum.Count + MostItems - 1) / MostItems));
        var stride = PooledFloats.Padded(sum.Width);
        var workers = KernelThreads.Workers(blocks.Count, threads);
        using var memory = new PooledFloats((Math.Max(1, blocks.Count) + workers) * stride);
        KernelThreads.For(blocks.Count, threads, new Work<V>(sum, weight, epsilon, dy, dResidualOut, dx, blocks, memory.Pointer + workers * stride, memory.Pointer));
        if (!dWeight.IsAbsent)
        {
            AddParts<V>(memory.Pointer + workers * stride, blocks.Count, stride);
        }
    }

    private void AddParts<V>(float* parts, long blocks, long stride)
        where V : struct, IFloatVector<V>
    {
        if (blocks == 0)
        {
            NativeMemory.Clear(parts, (nuint)stride * sizeof(float));
        }

        for (long c = 0; c < stride && blocks > 1; c += V.Count)
        {
            var total = V.Load(parts + c);
            for (long other = 1; other < blocks; other++)
            {
                total += V.Load(parts + other * stride + c);
            }

            V.Store(total, parts + c);
        }

        NativeMemory.Copy(parts, dWeight.Pointer, (nuint)sum.Width * sizeof(float));
    }

    /// <summary>Each item sums into its row of parts; each worker has a row of discarded for a dx that nobody wants.</summary>
    private readonly struct Work<V>(
        Rows<float> sum, Rows<float> weight, double epsilon, Rows<float> dy, Rows<float> dResidualOut, Rows<float> dx, RowBlocks blocks, float* parts, float* discarded) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker)
        {
            var width = sum.Width;
            var stride = PooledFloats.Padded(width);
            var dweight = parts + item * stride;
            NativeMemory.Clear(dweight, (nuint)stride * sizeof(float));
            for (var row = blocks.First(item); row < blocks.End(item); row++)
            {
                var s = sum.Row(row);
                var g = dy.Row(row);
                var (squares, dot) = RmsNormRow<V>.Moments(s, g, weight.Pointer, width);
                var r = RmsNormRow<V>.InverseRoot(squares, width, epsilon);
                var pull = (float)((double)r * r * r * dot / width);
                var target = dx.IsAbsent ? discarded + worker * stride : dx.Row(row);
                RmsNormRow<V>.Gradients(s, g, weight.Pointer, dResidualOut.IsAbsent ? null : dResidualOut.Row(row), r, pull, target, dweight, width);
            }
        }
    }
}
