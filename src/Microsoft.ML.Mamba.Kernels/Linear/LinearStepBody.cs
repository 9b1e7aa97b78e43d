using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary><see cref="LinearStep.Apply"/> in vectors along the inputs; work items are blocks of rows of weights.</summary>
internal readonly unsafe struct LinearStepBody(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y, int threads) : IVectorBody
{
    /// <summary>Weights per work item: some microseconds of reading, against one or two for handing it to a thread.</summary>
    private const long ItemElements = 32 * 1024;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        if (!y.IsEmpty)
        {
            var blocks = RowBlocks.OfElements(weight.Count, weight.Width, ItemElements);
            KernelThreads.For(blocks.Count, threads, new Work<V>(x, weight, bias, y, blocks));
        }
    }

    private readonly struct Work<V>(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y, RowBlocks blocks) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(long item, int worker)
        {
            for (var output = blocks.First(item); output < blocks.End(item); output++)
            {
                // The first row of x brings the weights into the nearest cache for the others.
                for (long row = 0; row < x.Count; row++)
                {
                    var sum = Dot(x.Row(row), weight.Row(output), x.Width);
                    y.Row(row)[output] = bias.IsAbsent ? sum : sum + bias.Pointer[output];
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Dot(float* a, float* b, long width)
        {
            var sum0 = V.Zero;
            var (sum1, sum2, sum3) = (sum0, sum0, sum0);
            long c = 0;
            for (; c + 4 * V.Count <= width; c += 4 * V.Count)
            {
                sum0 = V.MultiplyAdd(V.Load(a + c), V.Load(b + c), sum0);
                sum1 = V.MultiplyAdd(V.Load(a + c + V.Count), V.Load(b + c + V.Count), sum1);
                sum2 = V.MultiplyAdd(V.Load(a + c + 2 * V.Count), V.Load(b + c + 2 * V.Count), sum2);
                sum3 = V.MultiplyAdd(V.Load(a + c + 3 * V.Count), V.Load(b + c + 3 * V.Count), sum3);
            }

            for (; c + V.Count <= width; c += V.Count)
            {
                sum0 = V.MultiplyAdd(V.Load(a + c), V.Load(b + c), sum0);
            }

            var rest = 0f;
            for (; c < width; c++)
            {
                rest += a[c] * b[c];
            }

            return V.Sum((sum0 + sum1) + (sum2 + sum3)) + rest;
        }
    }
}
