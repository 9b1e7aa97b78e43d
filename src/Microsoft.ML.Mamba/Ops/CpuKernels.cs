using Microsoft.ML.Mamba.Kernels;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The SIMD kernels of Microsoft.ML.Mamba.Kernels: float32 on the CPU.</summary>
internal sealed class CpuKernels : IKernelBodies<float>
{
    public long CheckpointLength(in ScanDims dims) => Kernels.SelectiveScan.CheckpointLength(dims);

    public void ScanForward(in SelectiveScanForward<float> scan) => Kernels.SelectiveScan.Forward(scan);

    public void ScanBackward(in SelectiveScanBackward<float> scan) => Kernels.SelectiveScan.Backward(scan);

    public void ScanStep(in SelectiveStateUpdateStep<float> step) => Kernels.SelectiveStateUpdate.Step(step);

    public void ConvForward(in CausalConv1dForward<float> conv) => Kernels.CausalConv1d.Forward(conv);

    public void ConvBackward(in CausalConv1dBackward<float> conv) => Kernels.CausalConv1d.Backward(conv);

    public void ConvStep(in CausalConv1dStep<float> conv) => Kernels.CausalConv1d.Step(conv);

    public void NormForward(Rows<float> x, Rows<float> residual, Rows<float> weight, double epsilon, Rows<float> y, Rows<float> sum) =>
        Kernels.RmsNorm.Forward(x, residual, weight, epsilon, y, sum);

    public void NormBackward(Rows<float> sum, Rows<float> weight, double epsilon, Rows<float> dy, Rows<float> dSum, Rows<float> dx, Rows<float> dWeight) =>
        Kernels.RmsNorm.Backward(sum, weight, epsilon, dy, dSum, dx, dWeight);

    public void Reverse(Rows<float> x, ReadOnlySpan<int> lengths, long length, Rows<float> y) =>
        Kernels.SequenceReverse.Apply(x, lengths, length, y);

    public void LinearStep(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y) => Kernels.LinearStep.Apply(x, weight, bias, y);

    public void BlockSteps(
        in BlockStepDims dims, ReadOnlySpan<BlockStep<float>> blocks, Rows<float> hidden, Rows<float> residual, double normEpsilon, double selectionEpsilon) =>
        Kernels.BlockSteps.Advance(dims, blocks, hidden, residual, normEpsilon, selectionEpsilon);

    public void AdamWStep(Rows<float> weight, Rows<float> gradient, Rows<float> firstMoment, Rows<float> secondMoment, in AdamWStep step) =>
        Kernels.AdamW.Step(weight, gradient, firstMoment, secondMoment, step);

    public double SumOfSquares(Rows<float> values) => Kernels.SumOfSquares.Of(values);
}
