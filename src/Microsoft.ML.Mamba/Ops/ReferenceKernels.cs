using System.Numerics;
using Microsoft.ML.Mamba.Kernels;
using Reference = Microsoft.ML.Mamba.Kernels.Reference;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The plain loops of Microsoft.ML.Mamba.Kernels.Reference: the truth that every other backend is compared with.</summary>
/// <typeparam name="T">float or double; all sums are in double.</typeparam>
internal sealed class ReferenceKernels<T> : IKernelBodies<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public long CheckpointLength(in ScanDims dims) => 0;

    public void ScanForward(in SelectiveScanForward<T> scan) => Reference.SelectiveScan.Forward(scan);

    public void ScanBackward(in SelectiveScanBackward<T> scan) => Reference.SelectiveScan.Backward(scan);

    public void ScanStep(in SelectiveStateUpdateStep<T> step) => Reference.SelectiveStateUpdate.Step(step);

    public void ConvForward(in CausalConv1dForward<T> conv) => Reference.CausalConv1d.Forward(conv);

    public void ConvBackward(in CausalConv1dBackward<T> conv) => Reference.CausalConv1d.Backward(conv);

    public void ConvStep(in CausalConv1dStep<T> conv) => Reference.CausalConv1d.Step(conv);

    public void NormForward(Rows<T> x, Rows<T> residual, Rows<T> weight, double epsilon, Rows<T> y, Rows<T> sum) =>
        Reference.RmsNorm.Forward(x, residual, weight, epsilon, y, sum);

    public void NormBackward(Rows<T> sum, Rows<T> weight, double epsilon, Rows<T> dy, Rows<T> dSum, Rows<T> dx, Rows<T> dWeight) =>
        Reference.RmsNorm.Backward(sum, weight, epsilon, dy, dSum, dx, dWeight);

    public void Reverse(Rows<T> x, ReadOnlySpan<int> lengths, long length, Rows<T> y) =>
        Reference.SequenceReverse.Apply(x, lengths, length, y);

    public void LinearStep(Rows<T> x, Rows<T> weight, Rows<T> bias, Rows<T> y) => Reference.LinearStep.Apply(x, weight, bias, y);

    public void BlockSteps(
        in BlockStepDims dims, ReadOnlySpan<BlockStep<T>> blocks, Rows<T> hidden, Rows<T> residual, double normEpsilon, double selectionEpsilon) =>
        Reference.BlockSteps.Advance(dims, blocks, hidden, residual, normEpsilon, selectionEpsilon);

    public void AdamWStep(Rows<T> weight, Rows<T> gradient, Rows<T> firstMoment, Rows<T> secondMoment, in AdamWStep step) =>
        Reference.AdamW.Step(weight, gradient, firstMoment, secondMoment, step);

    public double SumOfSquares(Rows<T> values) => Reference.SumOfSquares.Of(values);
}
