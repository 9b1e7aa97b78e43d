using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// One way to compute the ops of this namespace. Operands arrive checked; results are new tensors, except where a state is updated
/// in place. A backend that is not also an <see cref="IBackwardKernels"/> is made of tensor operations that torch differentiates itself.
/// </summary>
public interface IKernelBackend
{
    /// <summary>Name in <see cref="KernelBackends.Force"/> and in the environment variable MAMBA_KERNELS.</summary>
    string Name { get; }

    /// <summary>Whether this backend computes on tensors of this device and type.</summary>
    /// <param name="device">Device of every operand.</param>
    /// <param name="type">Element type of the op's input. Parameters and states may be float32 where it is narrower.</param>
    /// <param name="reason">Why not, as the end of a sentence; empty when it does.</param>
    bool Supports(DeviceType device, ScalarType type, out string reason);

    /// <summary>Whether this backend, which supports the type, computes an op on this very device. It may try itself out the first time.</summary>
    /// <param name="op">Name of the op.</param>
    /// <param name="deviceIndex">Which of the devices of that kind; -1 where there is but one.</param>
    /// <param name="type">Element type of the floating operands.</param>
    /// <param name="reason">Why not, as the end of a sentence; empty when it does.</param>
    bool IsReady(string op, int deviceIndex, ScalarType type, out string reason)
    {
        reason = "";
        return true;
    }

    /// <summary>Selective scan over a whole sequence.</summary>
    /// <param name="inputs">Operands.</param>
    /// <param name="finalState">Whether the state after the last position is wanted.</param>
    /// <param name="forBackward">Whether the backward pass will follow, so that its checkpoints are wanted.</param>
    ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward);

    /// <summary>One position of the scan: <paramref name="state"/> (B, D, N) is advanced in place.</summary>
    /// <returns>y (B, D).</returns>
    Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog);

    /// <summary>Causal depthwise convolution over a whole sequence.</summary>
    /// <returns>y (B, L, D) and, when wanted, the last W-1 inputs (B, W-1, D).</returns>
    (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState);

    /// <summary>One position of the convolution: <paramref name="state"/> (B, W-1, D) is shifted in place.</summary>
    /// <returns>y (B, D).</returns>
    Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu);

    /// <summary>RMS norm of x + residual over the last dimension.</summary>
    /// <returns>The normalised y and, when wanted, x + residual (x itself when there is no residual).</returns>
    (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum);

    /// <summary>Reverses each sequence of x (B, L, D) within its own length; padding stays where it is.</summary>
    Tensor ReverseSequences(Tensor x, int[] lengths);

    /// <summary>A linear layer on a few rows, (B, inputs) → (B, outputs).</summary>
    Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias);

    /// <summary>One step of AdamW: weights and moments, contiguous and each of its weight's shape, are updated in place.</summary>
    /// <param name="weights">At least one.</param>
    /// <param name="guard">When no step is to be taken, and how gradients are clipped.</param>
    void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard);

    /// <summary>The sum of the squares of all elements of all tensors, at least one, which are on one device and of one type: a float64 scalar there.</summary>
    Tensor SumOfSquares(IReadOnlyList<Tensor> values);
}

/// <summary>A backend that brings its own backward passes.</summary>
public interface IBackwardKernels : IKernelBackend
{
    /// <summary>Gradients of a scan.</summary>
    /// <param name="inputs">The operands of the forward pass.</param>
    /// <param name="checkpoints">What the forward pass returned for this call.</param>
    /// <param name="dy">(B, L, D) gradient of y, or null for zeros.</param>
    /// <param name="dFinalState">(B, D, N) gradient of the final state, or null for zeros.</param>
    /// <param name="wanted">Operands whose gradients are wanted.</param>
    /// <param name="dz">(B, L, D) of the inputs' type, rows of any stride, where the gradient of z is to be written and which is then returned as it; null for a new tensor.</param>
    ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted, Tensor? dz = null);

    /// <summary>Gradients of a causal convolution.</summary>
    /// <param name="inputs">The operands of the forward pass.</param>
    /// <param name="dy">(B, L, D) gradient of y, or null for zeros.</param>
    /// <param name="dFinalState">(B, W-1, D) gradient of the final state, or null for zeros.</param>
    /// <param name="wanted">Operands whose gradients are wanted.</param>
    /// <param name="dx">(B, L, D) of the inputs' type, rows of any stride, where the gradient of x is to be written and which is then returned as it; null for a new tensor.</param>
    ConvGradients CausalConv1dBackward(ConvInputs inputs, Tensor? dy, Tensor? dFinalState, ConvOperands wanted, Tensor? dx = null);

    /// <summary>Gradients of the norm: of x, the same in the type of the sum for the residual (one tensor where the types are one), and of the weight.</summary>
    /// <param name="sum">x + residual, as the forward pass returned it.</param>
    /// <param name="weight">(D).</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="dy">Gradient of y, or null for zeros.</param>
    /// <param name="dSum">Gradient of x + residual, or null for zeros.</param>
    /// <param name="type">Type of x and y.</param>
    (Tensor DX, Tensor DResidual, Tensor DWeight) RmsNormBackward(Tensor sum, Tensor weight, double epsilon, Tensor? dy, Tensor? dSum, ScalarType type);
}
