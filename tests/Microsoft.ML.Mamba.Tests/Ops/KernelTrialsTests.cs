using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>Kernels that compute right pass their trial, wrong ones are withdrawn from their device; here with kernels of the CPU.</summary>
public sealed class KernelTrialsTests
{
    public static TheoryData<string> Operations() =>
        new("SelectiveScan", "SelectiveStateUpdate", "CausalConv1d", "RmsNorm", "SequenceReverse", "AdamW", "SumOfSquares", "LinearStep", "TokenSteps", "LargestScores");

    [Theory]
    [MemberData(nameof(Operations))]
    public void Right_kernels_pass(string op)
    {
        var trials = new KernelTrials((IBackwardKernels)KernelBackends.All.Single(b => b.Name == "cpu"), _ => CPU);
        Assert.True(trials.Passed(op, 0, ScalarType.Float32, out var reason), reason);
        Assert.Empty(trials.Failures);
    }

    [Fact]
    public void Wrong_kernels_do_not_serve_on_that_device_again()
    {
        var trials = new KernelTrials(new Wrong(), _ => CPU);
        Assert.True(trials.Passed("SequenceReverse", 1, ScalarType.Float32, out _));
        Assert.False(trials.Passed("RmsNorm", 1, ScalarType.Float32, out var reason));
        Assert.StartsWith("at its first use RmsNorm in Float32 computed y wrong by ", reason, StringComparison.Ordinal);
        Assert.False(trials.Passed("SequenceReverse", 1, ScalarType.Float32, out var again));
        Assert.Equal(reason, again);
        Assert.Equal(["device 1: " + reason], trials.Failures);
        Assert.True(trials.Passed("SequenceReverse", 0, ScalarType.Float32, out _));
    }

    /// <summary>The plain loops with a norm that forgets its weight.</summary>
    private sealed class Wrong : IBackwardKernels
    {
        private readonly ReferenceBackend _right = new();

        public string Name => "wrong";

        public bool Supports(DeviceType device, ScalarType type, out string reason) => _right.Supports(device, type, out reason);

        public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward) => _right.SelectiveScanForward(inputs, finalState, forBackward);

        public ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted, Tensor? dz = null) =>
            _right.SelectiveScanBackward(inputs, checkpoints, dy, dFinalState, wanted, dz);

        public Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog) =>
            _right.SelectiveStateStep(state, x, delta, a, b, c, d, z, deltaBias, deltaSoftplus, aIsLog);

        public (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState) => _right.CausalConv1dForward(inputs, finalState);

        public ConvGradients CausalConv1dBackward(ConvInputs inputs, Tensor? dy, Tensor? dFinalState, ConvOperands wanted, Tensor? dx = null) =>
            _right.CausalConv1dBackward(inputs, dy, dFinalState, wanted, dx);

        public Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu) => _right.CausalConv1dStep(state, x, weight, bias, silu);

        public (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum) =>
            _right.RmsNormForward(x, residual, ones_like(weight), epsilon, sum);

        public (Tensor DX, Tensor DResidual, Tensor DWeight) RmsNormBackward(Tensor sum, Tensor weight, double epsilon, Tensor? dy, Tensor? dSum, ScalarType type) =>
            _right.RmsNormBackward(sum, weight, epsilon, dy, dSum, type);

        public Tensor ReverseSequences(Tensor x, int[] lengths) => _right.ReverseSequences(x, lengths);

        public Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias) => _right.LinearStep(x, weight, bias);

        public void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard) => _right.AdamWStep(weights, guard);

        public Tensor SumOfSquares(IReadOnlyList<Tensor> values) => _right.SumOfSquares(values);
    }
}
