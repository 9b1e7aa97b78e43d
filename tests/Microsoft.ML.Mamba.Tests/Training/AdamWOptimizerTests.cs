using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>Our update against TorchSharp's AdamW and clip_grad_norm_, on every kernel backend of the CPU.</summary>
public sealed class AdamWOptimizerTests
{
    private static readonly (string Name, long[] Shape)[] Shapes = [("in_proj.weight", [33, 17]), ("conv1d.weight", [5, 1, 4]), ("in_proj.bias", [70])];

    public static TheoryData<string, double> Cases()
    {
        var cases = new TheoryData<string, double>();
        foreach (var backend in KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, ScalarType.Float32, out _)))
        {
            foreach (var clip in new[] { 0, 0.5, 1000 })
            {
                cases.Add(backend.Name, clip);
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Six_steps_follow_torch_with_decay_and_clipping(string backend, double clip)
    {
        using var forced = KernelBackends.Force(backend);
        var options = new MambaTrainingOptions { WeightDecay = 0.3, GradientClip = clip };
        var (ours, theirs) = (Weights(seed: 1), Weights(seed: 1));
        using var optimizer = new AdamWOptimizer(ours, options, ParameterGroups.Decays);
        using var reference = new TorchSharp.Modules.AdamW(
        [
            new TorchSharp.Modules.AdamW.ParamGroup([theirs[0].Tensor, theirs[1].Tensor], new() { weight_decay = 0.3, beta1 = options.Beta1, beta2 = options.Beta2 }),
            new TorchSharp.Modules.AdamW.ParamGroup([theirs[2].Tensor], new() { weight_decay = 0, beta1 = options.Beta1, beta2 = options.Beta2 }),
        ]);

        for (var step = 1; step <= 6; step++)
        {
            SetGradients(ours, step);
            SetGradients(theirs, step);
            var rate = 0.02 / step;
            var squares = optimizer.SumOfSquares();
            optimizer.Step(rate, tensor(0f), squares);
            var norm = Math.Sqrt(squares.item<double>());
            var expectedNorm = nn.utils.clip_grad_norm_(theirs.Select(w => w.Tensor), clip > 0 ? clip : float.MaxValue);
            foreach (var group in reference.ParamGroups)
            {
                group.LearningRate = rate;
            }
            reference.step();

            Assert.True(Math.Abs(norm - expectedNorm) <= 1e-5 * expectedNorm, $"step {step}: the norm is {norm}; torch says {expectedNorm}");
        }
        foreach (var (got, want) in ours.Zip(theirs))
        {
            var difference = (got.Tensor - want.Tensor).abs().max().item<float>();
            Assert.True(difference <= 2e-6, $"{got.Name} differs from torch's by {difference}");
        }
    }

    [Fact]
    public void A_weight_without_gradient_keeps_its_value()
    {
        var weights = Weights(seed: 2);
        using var optimizer = new AdamWOptimizer(weights, new MambaTrainingOptions(), ParameterGroups.Decays);
        var before = weights[0].Tensor.data<float>().ToArray();
        var moved = weights[2].Tensor.data<float>().ToArray();
        using var gradient = ones(70);
        weights[2].Tensor.grad = gradient;

        optimizer.Step(0.1, tensor(0f), optimizer.SumOfSquares());

        Assert.Equal(before, weights[0].Tensor.data<float>().ToArray());
        Assert.NotEqual(moved, weights[2].Tensor.data<float>().ToArray());
    }

    [Theory]
    [MemberData(nameof(Unfit))]
    public void Nothing_changes_by_numbers_that_are_not_finite(string backend, float loss, float gradientOfOne)
    {
        using var forced = KernelBackends.Force(backend);
        var weights = Weights(seed: 3);
        using var optimizer = new AdamWOptimizer(weights, new MambaTrainingOptions(), ParameterGroups.Decays);
        SetGradients(weights, step: 1);
        using (no_grad())
        {
            weights[1].Tensor.grad!.view(-1)[7] = gradientOfOne;
        }
        var before = Array.ConvertAll(weights, w => w.Tensor.data<float>().ToArray());

        optimizer.Step(0.1, tensor(loss), optimizer.SumOfSquares());

        Assert.Equal(before, Array.ConvertAll(weights, w => w.Tensor.data<float>().ToArray()));
    }

    public static TheoryData<string, float, float> Unfit()
    {
        var cases = new TheoryData<string, float, float>();
        foreach (var backend in KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, ScalarType.Float32, out _)))
        {
            cases.Add(backend.Name, float.NaN, 1);
            cases.Add(backend.Name, float.PositiveInfinity, 1);
            cases.Add(backend.Name, 1, float.NaN);
            cases.Add(backend.Name, 1, float.NegativeInfinity);
        }
        return cases;
    }

    private static (string Name, Parameter Tensor)[] Weights(int seed)
    {
        using var generator = new Generator((ulong)seed);
        return Array.ConvertAll(Shapes, s => (s.Name, new Parameter(randn(s.Shape, generator: generator))));
    }

    private static void SetGradients((string Name, Parameter Tensor)[] weights, int step)
    {
        using var generator = new Generator((ulong)(100 + step));
        foreach (var (_, weight) in weights)
        {
            weight.grad = randn(weight.shape, generator: generator);
        }
    }
}
