using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>The causal convolution against the official reference, on every backend.</summary>
public sealed class GoldenConvolutionTests
{
    private static readonly string[] Files =
    [
        "initial_state_w2_L6", "initial_state_w3_L1", "initial_state_w4_L11", "w2_bias0_none_L17", "w2_bias0_silu_L17", "w2_bias1_none_L17",
        "w2_bias1_silu_L17", "w3_bias0_none_L17", "w3_bias0_silu_L17", "w3_bias0_silu_L257", "w3_bias1_none_L17", "w3_bias1_silu_L17",
        "w4_bias0_none_L17", "w4_bias0_silu_L17", "w4_bias1_none_L17", "w4_bias1_silu_L1", "w4_bias1_silu_L17", "w4_bias1_silu_L2", "w4_bias1_silu_L65",
    ];

    private static readonly string[] StepFiles =
        ["update_w2_state1_bias1_silu", "update_w2_state2_bias1_none", "update_w3_state3_bias0_silu", "update_w4_state3_bias1_silu", "update_w4_state4_bias1_silu"];

    public static TheoryData<string, string, string> Cases() => BackendCases.PlacedOf(Files);

    public static TheoryData<string, string, string> StepCases() => BackendCases.PlacedOf(StepFiles);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_the_official_convolution(string name, string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"conv1d/{name}").On(place);
        using var scope = NewDisposeScope();
        var inputs = new Dictionary<string, Tensor>();
        Tensor? Input(string key, bool swapped) =>
            golden.Find(key) is { } stored
                ? inputs[key] = (swapped ? stored.transpose(1, 2) : stored).clone().contiguous().requires_grad_(true)
                : null;

        var (y, last) = CausalConv1d.Forward(
            Input("x", true)!, Input("weight", false)!, Input("bias", false), Input("initial_state", true), Silu(golden), returnFinalState: true);
        (y * golden["grad_out"].transpose(1, 2)).sum().backward();

        golden.AssertMatches("y", y.transpose(1, 2));
        golden.AssertMatches("final_state", last!.transpose(1, 2));
        foreach (var (key, input) in inputs)
            golden.AssertMatches($"grad_{key}", input.dim() == 3 ? input.grad!.transpose(1, 2) : input.grad!);
    }

    [SkippableTheory]
    [MemberData(nameof(StepCases))]
    public void Single_steps_match(string name, string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"conv1d/{name}").On(place);
        using var scope = NewDisposeScope();
        var history = golden.Options.GetProperty("width").GetInt64() - 1;
        Tensor Latest(Tensor states) => states.slice(2, states.shape[2] - history, states.shape[2], 1).transpose(1, 2).contiguous(); // golden states may be longer
        var state = Latest(golden["conv_state_0"]);
        for (var t = 0; t < golden["x"].shape[0]; t++)
        {
            var y = CausalConv1d.Step(state, golden["x"][t], golden["weight"], golden.Find("bias"), Silu(golden));

            TensorAssert.Close(golden["out"][t], y, golden.ToleranceOf("out"), $"{name}: out of step {t}");
            TensorAssert.Close(Latest(golden["conv_states"][t]), state, golden.ToleranceOf("conv_states"), $"{name}: state after step {t}");
        }
    }

    private static bool Silu(GoldenFile golden) => golden.Options.GetProperty("activation").GetString() == "silu";
}
