using Microsoft.ML.Mamba.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The reference kernels in float32 or float64, whichever the operands are.</summary>
internal sealed class ReferenceBackend : IBackwardKernels, IStepKernels
{
    private readonly RowKernels<float> _single = new("reference", new ReferenceKernels<float>());
    private readonly RowKernels<double> _double = new("reference", new ReferenceKernels<double>());

    public string Name => _single.Name;

    public bool Supports(DeviceType device, ScalarType type, out string reason)
    {
        if (_single.Supports(device, type, out reason) || _double.Supports(device, type, out reason))
            return true;
        if (device == DeviceType.CPU)
            reason = "it takes Float32 and Float64 only";
        return false;
    }

    public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward) =>
        For(inputs.U).SelectiveScanForward(inputs, finalState, forBackward);

    public ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted, Tensor? dz = null) =>
        For(inputs.U).SelectiveScanBackward(inputs, checkpoints, dy, dFinalState, wanted, dz);

    public Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog) =>
        For(x).SelectiveStateStep(state, x, delta, a, b, c, d, z, deltaBias, deltaSoftplus, aIsLog);

    public (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState) =>
        For(inputs.X).CausalConv1dForward(inputs, finalState);

    public ConvGradients CausalConv1dBackward(ConvInputs inputs, Tensor? dy, Tensor? dFinalState, ConvOperands wanted, Tensor? dx = null) =>
        For(inputs.X).CausalConv1dBackward(inputs, dy, dFinalState, wanted, dx);

    public Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu) =>
        For(x).CausalConv1dStep(state, x, weight, bias, silu);

    public (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum) =>
        For(x).RmsNormForward(x, residual, weight, epsilon, sum);

    public (Tensor DX, Tensor DResidual, Tensor DWeight) RmsNormBackward(Tensor sum, Tensor weight, double epsilon, Tensor? dy, Tensor? dSum, ScalarType type) =>
        For(sum).RmsNormBackward(sum, weight, epsilon, dy, dSum, type);

    public Tensor ReverseSequences(Tensor x, int[] lengths) => For(x).ReverseSequences(x, lengths);

    public Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias) => For(x).LinearStep(x, weight, bias);

    public void BlockSteps(BlockStepInputs inputs) => ((IStepKernels)For(inputs.Hidden)).BlockSteps(inputs);

    public void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard) => For(weights[0].Weight).AdamWStep(weights, guard);

    public Tensor SumOfSquares(IReadOnlyList<Tensor> values) => For(values[0]).SumOfSquares(values);

    private IBackwardKernels For(Tensor operand) => operand.dtype == ScalarType.Float64 ? _double : _single;
}
