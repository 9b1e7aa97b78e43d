using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>The mixer against the official one: outputs, every gradient, both states, and one step at a time; on every backend.</summary>
public sealed class GoldenMixerTests
{
    public static TheoryData<string, string> Cases() => BackendCases.Of(
        ["mamba1_d16_default", "mamba1_d24_bias_expand3", "mamba1_d32_L130", "mamba1_d32_no_conv_bias", "mamba1_d48_L1"]);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_the_official_mixer(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"mixer/{name}");
        using var mixer = Build(golden);
        using var scope = NewDisposeScope();
        var x = golden["x"].clone().requires_grad_(true);

        var y = mixer.forward(x);
        (y * golden["grad_y"]).sum().backward();

        golden.AssertMatches("y", y);
        golden.AssertMatches("grad_x", x.grad!);
        foreach (var (key, parameter) in mixer.named_parameters())
            golden.AssertMatches($"grad.{key}", parameter.grad!);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void States_after_the_sequence_are_those_of_the_official_mixer(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"mixer/{name}");
        using var mixer = Build(golden);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();

        var (y, after) = mixer.Forward(golden["x"], mixer.NewState(golden["x"].shape[0]), returnState: true);

        golden.AssertMatches("y", y);
        AssertStates(golden, after!);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void One_step_at_a_time_gives_the_same(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"mixer/{name}");
        using var mixer = Build(golden);
        using var scope = NewDisposeScope();
        var x = golden["x"];
        using var state = mixer.NewState(x.shape[0]);

        var steps = Enumerable.Range(0, (int)x.shape[1]).Select(t => mixer.Step(x.select(1, t), state)).ToArray();

        golden.AssertMatches("y", stack(steps, 1));
        AssertStates(golden, state);
    }

    /// <summary>The golden convolution state is channel-first and one input longer than ours.</summary>
    private static void AssertStates(GoldenFile golden, LayerState state)
    {
        var conv = golden["conv_state"];
        var want = conv.slice(2, 1, conv.shape[2], 1).transpose(1, 2);
        TensorAssert.Close(want, state.Conv, golden.ToleranceOf("conv_state"), "conv_state");
        golden.AssertMatches("ssm_state", state.Ssm);
    }

    private static MambaMixer Build(GoldenFile golden)
    {
        int Number(string key) => golden.Options.GetProperty(key).GetInt32();
        var config = new MambaConfig
        {
            DModel = Number("d_model"),
            DState = Number("d_state"),
            DConv = Number("d_conv"),
            Expand = Number("expand"),
            DtRank = Number("dt_rank"),
            UseBias = golden.Options.GetProperty("bias").GetBoolean(),
            UseConvBias = golden.Options.GetProperty("conv_bias").GetBoolean(),
        };
        var mixer = new MambaMixer(config, seed: 1);
        var names = golden.Names.Where(n => n.StartsWith("param.", StringComparison.Ordinal)).Select(n => n["param.".Length..]).ToHashSet();
        Assert.Equal(names.Order(), mixer.state_dict().Keys.Order());
        using var noGradient = no_grad();
        foreach (var (key, parameter) in mixer.named_parameters())
            parameter.copy_(golden["param." + key]);
        return mixer;
    }
}
