using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary><see cref="AdamW.Step"/> in vectors; work items are blocks of elements.</summary>
internal readonly unsafe struct AdamWBody(
    Rows<float> weight, Rows<float> gradient, Rows<float> firstMoment, Rows<float> secondMoment, AdamWStep step, int threads) : IVectorBody
{
    /// <summary>Elements per work item: some ten microseconds, against one or two for handing it to a thread.</summary>
    private const long ItemElements = 16 * 1024;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var blocks = new RowBlocks(weight.Count * weight.Width, ItemElements);
        KernelThreads.For(blocks.Count, threads, new Work<V>(weight.Pointer, gradient.Pointer, firstMoment.Pointer, secondMoment.Pointer, new Factors(step), blocks));
    }

    private readonly struct Factors(in AdamWStep step)
    {
        public readonly float Scale = (float)step.GradientScale;
        public readonly float Gain1 = (float)(1 - step.Beta1);
        public readonly float Beta2 = (float)step.Beta2;
        public readonly float Gain2 = (float)(1 - step.Beta2);
        public readonly float Shrink = (float)step.Shrink;
        public readonly float StepSize = (float)step.StepSize;
        public readonly float RootScale = (float)step.RootScale;
        public readonly float Epsilon = (float)step.Epsilon;
    }

    private readonly struct Work<V>(float* weight, float* gradient, float* firstMoment, float* secondMoment, Factors factors, RowBlocks blocks) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker)
        {
            var (i, end) = (blocks.First(item), blocks.End(item));
            for (; i <= end - V.Count; i += V.Count)
            {
                Update<V>(i);
            }

            for (; i < end; i++)
            {
                Update<ScalarFloat>(i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Update<W>(long i)
            where W : struct, IFloatVector<W>
        {
            var g = W.Load(gradient + i) * W.Broadcast(factors.Scale);
            var m = W.Load(firstMoment + i);
            m = W.MultiplyAdd(g - m, W.Broadcast(factors.Gain1), m);
            var v = W.MultiplyAdd(g * g, W.Broadcast(factors.Gain2), W.Load(secondMoment + i) * W.Broadcast(factors.Beta2));
            var root = W.MultiplyAdd(W.Sqrt(v), W.Broadcast(factors.RootScale), W.Broadcast(factors.Epsilon));
            W.Store(m, firstMoment + i);
            W.Store(v, secondMoment + i);
            W.Store(W.Load(weight + i) * W.Broadcast(factors.Shrink) - W.Broadcast(factors.StepSize) * m / root, weight + i);
        }
    }
}
