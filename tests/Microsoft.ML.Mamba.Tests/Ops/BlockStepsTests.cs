using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>Steps through a stack of blocks, on every backend: those with a kernel for it and torch, which goes from op to op.</summary>
public sealed class BlockStepsTests
{
    private const double Tolerance = 3e-5;

    private static readonly MambaConfig Small = new() { DModel = 13, NLayer = 3, VocabSize = 11, Bidirectional = false };

    private static readonly (long Batch, MambaConfig Config)[] Cases =
    [
        (1, Small), (3, Small with { DState = 1, DConv = 2 }), (8, Small with { DModel = 31, DConv = 3, UseBias = true }), (1, Small with { DConv = 5, UseConvBias = false }),
        (2, Small with { DConv = 8, DState = 17, MixerNormEpsilon = 1e-3f }), (5, Small with { DModel = 67, DConv = 6, DtRank = 7 }), (1, Small with { DConv = 7, UseBias = true, UseConvBias = false }),
    ];

    public static TheoryData<int, string> CasesOfBackends()
    {
        var cases = new TheoryData<int, string>();
        for (var i = 0; i < Cases.Length; i++)
        {
            foreach (var backend in BackendCases.OnCpu.Where(name => name != "reference"))
                cases.Add(i, backend);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(CasesOfBackends))]
    public void Every_backend_agrees(int index, string backend)
    {
        using var scope = NewDisposeScope();
        var (batch, config) = Cases[index];
        using var model = Model(config);
        var (want, got) = (Steps(model, batch, "reference"), Steps(model, batch, backend));
        for (var i = 0; i < want.Count; i++)
            TensorAssert.Close(want[i], got[i], Tolerance, $"result {i}");
    }

    [Fact]
    public void Float64_takes_its_steps_as_well()
    {
        using var scope = NewDisposeScope();
        foreach (var (batch, config) in Cases)
        {
            using var model = Model(config).to(float64);
            var (want, got) = (Steps(model, batch, "reference"), Steps(model, batch, null));
            for (var i = 0; i < want.Count; i++)
                TensorAssert.Close(want[i], got[i], 1e-12, $"{config}: result {i}");
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_and_in_a_batch()
    {
        using var scope = NewDisposeScope();
        using var model = Model(Small with { DModel = 31, MixerNormEpsilon = 1e-5f });
        var together = Steps(model, 8, "cpu");
        for (var row = 0; row < 8; row++)
        {
            var alone = Steps(model, 1, "cpu", row);
            for (var i = 0; i < together.Count; i++)
                Assert.Equal(together[i].narrow(0, row, 1).data<float>().ToArray(), alone[i].data<float>().ToArray());
        }
    }

    [Fact]
    public void The_state_of_another_model_or_batch_is_refused()
    {
        using var scope = NewDisposeScope();
        using var model = Model(Small);
        using var other = Model(Small with { DState = 4 });
        using var state = other.NewState(1);
        var error = Assert.Throws<ArgumentException>(() => model.Step(zeros(1, int64), state));
        Assert.StartsWith("BlockSteps: state of the scan has shape (1, 26, 4); expected (B, D, N) = (1, 26, 16) from the model.", error.Message, StringComparison.Ordinal);
        using var two = model.NewState(2);
        error = Assert.Throws<ArgumentException>(() => model.Step(zeros(1, int64), two));
        Assert.StartsWith("BlockSteps: state of the convolution has shape (2, 3, 26); expected (B, W-1, D) = (1, 3, 26) from the model.", error.Message, StringComparison.Ordinal);
    }

    private static MambaModel Model(MambaConfig config)
    {
        using var noGradient = no_grad();
        var model = new MambaModel(config, seed: 5);
        foreach (var (name, parameter) in model.named_parameters().Where(p => p.name.EndsWith("bias", StringComparison.Ordinal) || p.name.Contains("norm", StringComparison.Ordinal)))
            parameter.copy_(RandomTensor.Single(new Random(name.Length), parameter.shape));
        return model;
    }

    /// <summary>What three steps give, and the states after them.</summary>
    private static List<Tensor> Steps(MambaModel model, long batch, string? backend, long firstId = 0)
    {
        using var force = KernelBackends.Force(backend);
        using var state = model.NewState(batch);
        var results = new List<Tensor>();
        for (var t = 0; t < 3; t++)
            results.Add(model.Step(tensor([.. Enumerable.Range(0, (int)batch).Select(row => (firstId + row + t) % 11)]), state));
        results.AddRange(state.Layers.SelectMany(layer => new[] { layer.Conv.clone(), layer.Ssm.clone() }));
        return results;
    }
}
