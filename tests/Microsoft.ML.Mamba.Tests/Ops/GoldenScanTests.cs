using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>The scan with every option and every gradient against the official reference, on every backend.</summary>
public sealed class GoldenScanTests
{
    // The stored values are rounded to float32 once.
    private const double Float64Tolerance = 4e-7;

    private static readonly string[] Files =
    [
        "b1_d2_L4096_n1_no_z", "b1_d32_L64_n16", "b1_d4_L1_n1_plain", "b1_d4_L257_n64_no_D_no_z", "b1_d4_L4096_n8", "b1_d6_L1024_n8_plain",
        "b1_d8_L1024_n16", "b1_d96_L65_n16", "b2_d12_L63_n8_no_D", "b2_d16_L64_n64_no_bias", "b2_d16_L7_n16_no_z", "b2_d24_L257_n16",
        "b2_d4_L1_n16", "b2_d96_L7_n16", "b3_d8_L2_n8", "b4_d8_L65_n1_no_softplus", "extreme_large_delta", "extreme_large_input",
        "extreme_slow_decay", "extreme_tiny_delta", "extreme_very_negative_A", "initial_state_L1", "initial_state_L20", "initial_state_L65",
        "optional_constant_BC", "optional_grouped_BC", "zeros_A_B", "zeros_delta_no_softplus", "zeros_u",
    ];

    public static TheoryData<string, string, string> Cases() => BackendCases.PlacedOf(Files);

    public static TheoryData<string, string> Float64Cases() => BackendCases.Of(Files, float64);

    public static TheoryData<string, string> Backends() => BackendCases.AllPlaced();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_the_official_scan(string name, string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"scan/{name}").On(place);
        using var scope = NewDisposeScope();
        foreach (var (output, value) in Run(golden, float32, golden.Options.GetProperty("delta_softplus").GetBoolean()))
            golden.AssertMatches(output, value);
    }

    [SkippableTheory]
    [MemberData(nameof(Float64Cases))]
    public void Float64_reaches_the_rounding_of_the_stored_numbers(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"scan/{name}");
        using var scope = NewDisposeScope();
        foreach (var (output, value) in Run(golden, float64, golden.Options.GetProperty("delta_softplus").GetBoolean()))
            TensorAssert.Close(golden[output], value, Float64Tolerance, $"{name}: {output}");
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void All_sixteen_combinations_of_options_match(string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("scan/all_options").On(place);
        using var scope = NewDisposeScope();
        for (var options = 0; options < 16; options++)
        {
            bool d = (options & 1) != 0, z = (options & 2) != 0, bias = (options & 4) != 0, softplus = (options & 8) != 0;
            var prefix = $"D{(d ? 1 : 0)}z{(z ? 1 : 0)}b{(bias ? 1 : 0)}s{(softplus ? 1 : 0)}.";
            foreach (var (output, value) in Run(golden, float32, softplus, d, z, bias, prefix))
                golden.AssertMatches(prefix + output, value);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Single_steps_match(string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("scan/single_steps").On(place);
        using var scope = NewDisposeScope();
        var state = golden["state_0"].clone();
        var (outputs, states) = (new List<Tensor>(), new List<Tensor>());
        for (var t = 0; t < golden["x"].shape[0]; t++)
        {
            outputs.Add(SelectiveStateUpdate.Step(
                state, golden["x"][t], golden["dt"][t], golden["A"], golden["B"][t], golden["C"][t], golden["D"], golden["z"][t], golden["dt_bias"], true));
            states.Add(state.clone());
        }

        golden.AssertMatches("out", stack(outputs));
        golden.AssertMatches("states", stack(states));
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void State_carried_over_a_split_continues_as_in_one_pass(string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        foreach (var name in new[] { "chain_L50", "chain_L130" })
        {
            using var golden = GoldenFile.Read($"scan/{name}").On(place);
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            foreach (var split in golden.Options.GetProperty("splits").EnumerateArray().Select(s => s.GetInt64()))
            {
                var (first, middle) = Piece(golden, 0, split, null);
                var (second, last) = Piece(golden, split, golden["u"].shape[2], middle);
                golden.AssertMatches($"state_after_{split}", middle);
                golden.AssertMatches("y", cat([first, second], 1).transpose(1, 2));
                golden.AssertMatches("last_state", last);
            }
        }
    }

    private static (Tensor Y, Tensor State) Piece(GoldenFile golden, long start, long end, Tensor? before)
    {
        Tensor Steps(string name) => golden[name].slice(2, start, end, 1).transpose(1, 2).contiguous();
        var (y, last) = SelectiveScan.Forward(
            Steps("u"), Steps("delta"), golden["A"], Steps("B"), Steps("C"), golden["D"], Steps("z"), golden["delta_bias"], true, before, true);
        return (y, last!);
    }

    /// <summary>Runs forward and backward; yields every output and gradient in the layout of the golden file.</summary>
    private static IEnumerable<(string Name, Tensor Value)> Run(
        GoldenFile golden, ScalarType type, bool softplus, bool withD = true, bool withZ = true, bool withBias = true, string prefix = "")
    {
        var inputs = new Dictionary<string, Tensor>();
        Tensor? Input(string name, bool channelsLast)
        {
            if (golden.Find(name) is not { } stored)
                return null;
            var laidOut = channelsLast ? ChannelsLast(stored) : stored;
            return inputs[name] = laidOut.to(type).clone().contiguous().requires_grad_(true);
        }

        var (y, last) = SelectiveScan.Forward(
            Input("u", true)!, Input("delta", true)!, Input("A", false)!, Input("B", golden["B"].dim() > 2)!, Input("C", golden["C"].dim() > 2)!,
            withD ? Input("D", false) : null, withZ ? Input("z", true) : null, withBias ? Input("delta_bias", false) : null, softplus,
            Input("initial_state", false), returnFinalState: true);
        yield return ("y", ChannelsFirst(y));
        yield return ("last_state", last!);
        var loss = (y * ChannelsLast(golden["grad_out"]).to(type)).sum();
        if (golden.Find("grad_last_state") is { } dLast)
            loss = loss + (last! * dLast.to(type)).sum();
        loss.backward();
        foreach (var (name, input) in inputs)
        {
            Assert.True(golden.Find($"{prefix}grad_{name}") is not null, $"no golden gradient for {name}");
            yield return ($"grad_{name}", input.dim() > 2 && name != "initial_state" ? ChannelsFirst(input.grad!) : input.grad!);
        }
    }

    /// <summary>(B, …, L) → (B, L, …).</summary>
    private static Tensor ChannelsLast(Tensor tensor) => tensor.movedim([-1], [1]);

    /// <summary>(B, L, …) → (B, …, L).</summary>
    private static Tensor ChannelsFirst(Tensor tensor) => tensor.movedim([1], [-1]);
}
