using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>What only shows on a GPU: trials, views, equal bits, and sizes beyond 31 bits. Skipped where there is none.</summary>
public sealed class CudaBackendTests
{
    public static TheoryData<string, ScalarType> Trials()
    {
        var cases = new TheoryData<string, ScalarType>();
        foreach (var op in new[] { "SelectiveScan", "SelectiveStateUpdate", "CausalConv1d", "RmsNorm", "SequenceReverse", "AdamW", "SumOfSquares", "TokenSteps", "LargestScores" })
        {
            foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16 })
                cases.Add(op, type);
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Trials))]
    public void Kernels_pass_their_trials(string op, ScalarType type)
    {
        var device = BackendCases.DeviceOrSkip("cuda");
        Assert.True(KernelBackends.All[0].IsReady(op, Math.Max(0, device.index), type, out var reason), reason);
        Assert.Empty(KernelBackends.Withdrawn);
    }

    [SkippableTheory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Views_of_wider_matrices_give_what_copies_give(ScalarType type)
    {
        var device = BackendCases.DeviceOrSkip("cuda");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var wide = RandomTensor.Single(new Random(1), 2, 50, 83).to(type).to(device);
        var weight = RandomTensor.Single(new Random(2), 33, 4).to(device);
        var view = wide.narrow(2, 7, 33);
        var (fromView, _) = CausalConv1d.Forward(view, weight, null);
        var (fromCopy, _) = CausalConv1d.Forward(view.contiguous(), weight, null);
        TensorAssert.BitEqual(fromCopy, fromView, "convolution");
        var scale = RandomTensor.Single(new Random(3), 33).to(device);
        TensorAssert.BitEqual(RmsNorm.Forward(view.contiguous(), null, scale, 1e-5).Y, RmsNorm.Forward(view, null, scale, 1e-5).Y, "norm");
        TensorAssert.BitEqual(SequenceReverse.Apply(view.contiguous(), [50, 11]), SequenceReverse.Apply(view, [50, 11]), "reversal");
    }

    [SkippableTheory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void The_same_call_gives_the_same_bits(ScalarType type)
    {
        var device = BackendCases.DeviceOrSkip("cuda");
        using var scope = NewDisposeScope();
        var random = new Random(4);
        var x = RandomTensor.Single(random, 4, 700, 96).to(type).to(device).requires_grad_(true);
        var residual = RandomTensor.Single(random, 4, 700, 96).to(device).requires_grad_(true);
        var scale = RandomTensor.Single(random, 96).to(device).requires_grad_(true);
        var weight = RandomTensor.Single(random, 96, 4).to(device).requires_grad_(true);
        var a = (-RandomTensor.Single(random, 96, 16).abs()).to(device).requires_grad_(true);
        var matrix = RandomTensor.Single(random, 4, 700, 16).to(type).to(device).requires_grad_(true);
        Tensor[] operands = [x, residual, scale, weight, a, matrix];
        Tensor[] Run()
        {
            foreach (var operand in operands)
                operand.grad = null;
            var (normed, _) = RmsNorm.Forward(x, residual, scale, 1e-5);
            var (convolved, _) = CausalConv1d.Forward(normed, weight, null);
            var (y, _) = SelectiveScan.Forward(convolved, normed, a, matrix, matrix, scale, normed, scale, true);
            (y.to(float32) * residual).sum().backward();
            return [y, .. operands.Select(operand => operand.grad!.clone())];
        }

        var first = Run();
        for (var repeat = 0; repeat < 3; repeat++)
        {
            var again = Run();
            for (var i = 0; i < first.Length; i++)
                TensorAssert.BitEqual(first[i], again[i], $"result {i}");
        }
    }

    [SkippableFact]
    public void Convolution_and_norm_reach_beyond_31_bits()
    {
        const long Length = 70_001, Channels = 32_768; // 2.29e9 elements of 2 bytes
        var device = BackendCases.DeviceOrSkip("cuda");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var x = ones(1, Length, Channels, dtype: ScalarType.BFloat16, device: device);
        var weight = ones(Channels, 4, device: device);
        var y = CausalConv1d.Forward(x, weight, null, silu: false).Y;
        Assert.Equal(4f, y[0, Length - 1, Channels - 1].to(float32).cpu().item<float>());
        y = RmsNorm.Forward(x, null, ones(Channels, device: device), 1e-5, returnSum: false).Y;
        Assert.Equal(1f, y[0, Length - 1, Channels - 1].to(float32).cpu().item<float>(), 1e-2f);
    }

    [SkippableTheory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Dropout_has_the_mask_of_the_CPU(ScalarType type)
    {
        var device = BackendCases.DeviceOrSkip("cuda");
        using var scope = NewDisposeScope();
        var x = RandomTensor.Single(new Random(5), 1003).to(type);
        var (want, got) = (CounterDropout.Apply(x, 0.3, 9), CounterDropout.Apply(x.to(device), 0.3, 9));
        TensorAssert.BitEqual(want.ne(zeros_like(want)), got.ne(zeros_like(got)).cpu(), "mask");
        TensorAssert.Close(want, got, type == ScalarType.Float32 ? 1e-6 : 1e-2, "values");
    }

    [SkippableTheory]
    [InlineData(null, 0.0)]
    [InlineData(1f, 0.0)]
    [InlineData(1f, 2.5)]
    [InlineData(float.NaN, 2.5)]
    [InlineData(float.NegativeInfinity, 0.0)]
    public void An_update_of_weights_agrees_with_the_CPU(float? loss, double maxNorm)
    {
        var device = BackendCases.DeviceOrSkip("cuda");
        using var scope = NewDisposeScope();
        Tensor[] Update(Device on)
        {
            var random = new Random(6);
            Tensor[] All(long count, ScalarType type) => [.. Enumerable.Range(0, 4).Select(_ => RandomTensor.Single(random, count).abs().to(type).to(on))];
            Tensor[][] weights = [All(1031, ScalarType.Float32), All(70_001, ScalarType.Float32), All(0, ScalarType.Float32), All(5, ScalarType.Float32)];
            AdamW.Step([.. weights.Select((w, i) => new AdamWWeight(w[0], w[1], w[2], w[3], new Kernels.AdamWStep
            {
                Number = 2 + i,
                LearningRate = 0.1,
                Beta1 = 0.9,
                Beta2 = 0.98,
                WeightDecay = 0.1 * i,
            }))], loss is { } value ? new AdamWGuard(tensor(value).to(on), AdamW.SumOfSquares([.. weights.Select(w => w[1])]), maxNorm) : null);
            return [.. weights.SelectMany(w => w)];
        }

        foreach (var (want, got) in Update(CPU).Zip(Update(device)))
            TensorAssert.Close(want, got, 1e-6, "state");
    }
}
