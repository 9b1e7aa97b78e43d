using Microsoft.ML.Mamba.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Small cases for <see cref="KernelTrials"/>: the same numbers for every backend, all gradients included.</summary>
internal sealed class KernelTrialCase
{
    private readonly Random _random = new(20240131);
    private readonly Device _device;
    private readonly ScalarType _rounded;
    private readonly ScalarType _type;
    private readonly ScalarType _exact;
    private readonly List<(string Name, Tensor Value)> _results = [];

    private KernelTrialCase(Device device, ScalarType rounded, ScalarType type)
    {
        (_device, _rounded, _type) = (device, rounded, type);
        _exact = type == ScalarType.Float64 ? type : ScalarType.Float32;
    }

    /// <summary>Runs an op's case.</summary>
    /// <param name="op">Name of the op.</param>
    /// <param name="kernels">Who computes.</param>
    /// <param name="device">Where.</param>
    /// <param name="rounded">Type that inputs are rounded to.</param>
    /// <param name="type">Type of the inputs; parameters and states are float32, or float64 where the inputs are.</param>
    /// <returns>What it gave, or null for an op without a case.</returns>
    public static List<(string Name, Tensor Value)>? Run(string op, IBackwardKernels kernels, Device device, ScalarType rounded, ScalarType type)
    {
        var run = new KernelTrialCase(device, rounded, type);
        switch (op)
        {
            case nameof(SelectiveScan):
                run.Scan(kernels);
                break;
            case nameof(SelectiveStateUpdate):
                run.StateStep(kernels);
                break;
            case nameof(CausalConv1d):
                run.Convolution(kernels);
                break;
            case nameof(RmsNorm):
                run.Norm(kernels);
                break;
            case nameof(SequenceReverse):
                run._results.Add(("y", kernels.ReverseSequences(run.Input(3, 11, 24), [11, 0, 5])));
                break;
            case nameof(AdamW):
                run.Optimizer(kernels);
                break;
            case nameof(AdamW.SumOfSquares):
                run._results.Add(("the sum", kernels.SumOfSquares([run.Input(1031), run.Input(64, 640)])));
                break;
            case nameof(TokenSteps):
                run.Token(kernels);
                break;
            case nameof(LargestScores):
                run.Largest(kernels);
                break;
            default:
                return null;
        }

        return run._results;
    }

    private void Scan(IBackwardKernels kernels)
    {
        // Long enough to be cut into segments, whose kernels are tried too.
        const long Batch = 1, Length = 1100, Channels = 24, State = 16;
        var inputs = new ScanInputs(
            Input(Batch, Length, Channels), Input(Batch, Length, Channels), -Parameter(Channels, State).abs(), Input(Batch, Length, State), Input(Batch, Length, State),
            Parameter(Channels), Input(Batch, Length, Channels), Parameter(Channels), Parameter(Batch, Channels, State), DeltaSoftplus: true);
        var (y, last, checkpoints) = kernels.SelectiveScanForward(inputs, finalState: true, forBackward: true);
        Add(("y", y), ("the final state", last));
        const ScanOperands All = ScanOperands.U | ScanOperands.Delta | ScanOperands.A | ScanOperands.B | ScanOperands.C | ScanOperands.D | ScanOperands.Z
            | ScanOperands.DeltaBias | ScanOperands.InitialState;
        var g = kernels.SelectiveScanBackward(inputs, checkpoints, Input(Batch, Length, Channels), Parameter(Batch, Channels, State), All, Half(Batch, Length, Channels));
        Add(("the gradient of u", g.U), ("the gradient of delta", g.Delta), ("the gradient of A", g.A), ("the gradient of B", g.B), ("the gradient of C", g.C),
            ("the gradient of D", g.D), ("the gradient of z", g.Z), ("the gradient of the bias", g.DeltaBias), ("the gradient of the initial state", g.InitialState));
    }

    private void StateStep(IBackwardKernels kernels)
    {
        const long Batch = 2, Channels = 40, State = 16;
        var state = Parameter(Batch, Channels, State);
        var y = kernels.SelectiveStateStep(
            state, Input(Batch, Channels), Input(Batch, Channels), Parameter(Channels, State), Input(Batch, State), Input(Batch, State), Parameter(Channels),
            Input(Batch, Channels), Parameter(Channels), deltaSoftplus: true, aIsLog: true);
        Add(("y", y), ("the state", state));
    }

    private void Convolution(IBackwardKernels kernels)
    {
        const long Batch = 2, Length = 37, Channels = 24, Width = 4;
        var inputs = new ConvInputs(Input(Batch, Length, Channels), Parameter(Channels, Width), Parameter(Channels), Input(Batch, Width - 1, Channels), Silu: true);
        var (y, last) = kernels.CausalConv1dForward(inputs, finalState: true);
        Add(("y", y), ("the final state", last));
        var g = kernels.CausalConv1dBackward(
            inputs, Input(Batch, Length, Channels), Input(Batch, Width - 1, Channels), ConvOperands.X | ConvOperands.Weight | ConvOperands.Bias | ConvOperands.Initial,
            Half(Batch, Length, Channels));
        Add(("the gradient of x", g.X), ("the gradient of the weight", g.Weight), ("the gradient of the bias", g.Bias), ("the gradient of the initial state", g.Initial));
        var state = Input(Batch, Width - 1, Channels);
        Add(("y of a step", kernels.CausalConv1dStep(state, Input(Batch, Channels), inputs.Weight, inputs.Bias, silu: true)), ("the state", state));
    }

    private void Norm(IBackwardKernels kernels)
    {
        const long Batch = 3, Length = 5, Channels = 96;
        const double Epsilon = 1e-5;
        var weight = Parameter(Channels);
        var (y, sum) = kernels.RmsNormForward(Input(Batch, Length, Channels), Parameter(Batch, Length, Channels), weight, Epsilon, sum: true);
        var (dx, dResidual, dWeight) = kernels.RmsNormBackward(
            sum!, weight, Epsilon, Input(Batch, Length, Channels), Parameter(Batch, Length, Channels), _type);
        Add(("y", y), ("the sum", sum), ("the gradient of x", dx), ("the gradient of the residual", dResidual), ("the gradient of the weight", dWeight));
    }

    private void Token(IBackwardKernels kernels)
    {
        const int Batch = 3, Model = 64, Channels = 128, Width = 4, State = 16, Rank = 5, Vocabulary = 96, Layers = 2;
        const double Epsilon = 1e-5;
        var blocks = new BlockStepOperands[Layers];
        for (var i = 0; i < Layers; i++)
        {
            blocks[i] = new BlockStepOperands(
                Parameter(Model), Input(2 * Channels, Model), Parameter(2 * Channels), Parameter(Channels, 1, Width), Parameter(Channels), Input(Rank + 2 * State, Channels),
                Input(Channels, Rank), Parameter(Channels), Parameter(Channels, State), Parameter(Channels), Input(Model, Channels), Parameter(Model),
                Input(Batch, Width - 1, Channels), Parameter(Batch, Channels, State));
        }

        var (embedding, lastNorm, head, position) = (Parameter(Vocabulary, Model), Parameter(Model), Parameter(Vocabulary, Model), Parameter(Model));
        int[] ids = [95, 0, 41];
        Add(("the scores", Scores()));
        for (var i = 0; i < Layers; i++)
            Add(($"the inputs of block {i}", blocks[i].Inputs), ($"the state of block {i}", blocks[i].State));

        Tensor Scores()
        {
            if (kernels is ITokenStepKernels own)
            {
                using var steps = own.PrepareTokenSteps(new(embedding, blocks, lastNorm, head, Model, Channels, Width, State, Rank, Epsilon, SelectionEpsilon: 0))
                    ?? throw new InvalidOperationException("the kernel cannot run a small model.");
                return steps.Advance(ids, position);
            }

            var hidden = embedding.index_select(0, tensor(ids)).PlusInPlace(position);
            var residual = zeros_like(hidden);
            ((IStepKernels)kernels).BlockSteps(new(hidden, residual, blocks, Model, Channels, Width, State, Rank, Epsilon, SelectionEpsilon: 0));
            return kernels.LinearStep(kernels.RmsNormForward(hidden, residual, lastNorm, Epsilon, sum: false).Y, head, null);
        }
    }

    private void Largest(IBackwardKernels kernels)
    {
        var scores = Parameter(3, 5000);
        var found = kernels is ILargestScoreKernels own ? own.LargestScores(scores) : LargestScores.OnProcessor(scores.to(ScalarType.Float32));
        Add(("the scores", tensor(Array.ConvertAll(found, row => (double)row.Score))), ("their places", tensor(Array.ConvertAll(found, row => (double)row.Id))));
    }

    private void Optimizer(IBackwardKernels kernels)
    {
        var step = new AdamWStep { Number = 2, LearningRate = 0.1, Beta1 = 0.9, Beta2 = 0.98, WeightDecay = 0.1, GradientScale = 0.5 };
        AdamWWeight Weight(long count) => new(Parameter(count), Parameter(count), Parameter(count), Parameter(count).abs(), step);
        AdamWWeight[] weights = [Weight(1031), Weight(16), Weight(40_000)];
        kernels.AdamWStep(weights, new AdamWGuard(Parameter(1), Parameter(1).abs().to(ScalarType.Float64), MaxNorm: 0.1));
        foreach (var weight in weights)
            Add(("a weight", weight.Weight), ("a first moment", weight.FirstMoment), ("a second moment", weight.SecondMoment));
    }

    private void Add(params ReadOnlySpan<(string Name, Tensor? Value)> results)
    {
        foreach (var (name, value) in results)
            _results.Add((name, value ?? throw new InvalidOperationException($"{name} is missing.")));
    }

    private Tensor Input(params long[] shape) => Numbers(shape, _rounded).to(_type).to(_device);

    /// <summary>A place to write to that is half of wider rows.</summary>
    private Tensor Half(long batch, long length, long channels) => Input(batch, length, 2 * channels).narrow(2, channels, channels);

    private Tensor Parameter(params long[] shape) => Numbers(shape, ScalarType.Float32).to(_exact).to(_device);

    /// <summary>Uniform in ±1, from a managed generator: torch's own is left alone.</summary>
    private Tensor Numbers(long[] shape, ScalarType rounded)
    {
        var values = new float[shape.Aggregate(1L, (count, size) => count * size)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(_random.NextDouble() * 2 - 1);
        return tensor(values, shape).to(rounded);
    }
}
