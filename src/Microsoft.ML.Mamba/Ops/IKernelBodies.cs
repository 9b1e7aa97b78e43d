using Microsoft.ML.Mamba.Kernels;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The kernels that <see cref="RowKernels{T}"/> calls once tensors have become rows of numbers.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal interface IKernelBodies<T>
    where T : unmanaged
{
    /// <summary>Numbers that the forward scan leaves for the backward scan; 0 for none.</summary>
    long CheckpointLength(in ScanDims dims);

    void ScanForward(in SelectiveScanForward<T> scan);

    void ScanBackward(in SelectiveScanBackward<T> scan);

    void ScanStep(in SelectiveStateUpdateStep<T> step);

    void ConvForward(in CausalConv1dForward<T> conv);

    void ConvBackward(in CausalConv1dBackward<T> conv);

    void ConvStep(in CausalConv1dStep<T> conv);

    void NormForward(Rows<T> x, Rows<T> residual, Rows<T> weight, double epsilon, Rows<T> y, Rows<T> sum);

    void NormBackward(Rows<T> sum, Rows<T> weight, double epsilon, Rows<T> dy, Rows<T> dSum, Rows<T> dx, Rows<T> dWeight);

    void Reverse(Rows<T> x, ReadOnlySpan<int> lengths, long length, Rows<T> y);

    void LinearStep(Rows<T> x, Rows<T> weight, Rows<T> bias, Rows<T> y);

    void BlockSteps(in BlockStepDims dims, ReadOnlySpan<BlockStep<T>> blocks, Rows<T> hidden, Rows<T> residual, double normEpsilon, double selectionEpsilon);

    void AdamWStep(Rows<T> weight, Rows<T> gradient, Rows<T> firstMoment, Rows<T> secondMoment, in AdamWStep step);

    double SumOfSquares(Rows<T> values);
}
