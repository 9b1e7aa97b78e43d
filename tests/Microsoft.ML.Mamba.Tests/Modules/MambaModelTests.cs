using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class MambaModelTests
{
    private const int Length = 19;

    private static readonly MambaConfig Causal = new() { DModel = 16, NLayer = 3, DState = 5, FrameWidth = 4, Bidirectional = false };

    public static TheoryData<string> Backends() => BackendCases.All();

    [Theory]
    [MemberData(nameof(Backends))]
    public void Outputs_of_a_causal_model_before_a_changed_position_keep_their_bits(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Causal, seed: 2);
        var frames = Frames(1);
        var before = model.forward(SequenceInput.FromFrames(frames));
        for (var t = 0; t < Length; t += 3)
        {
            var changed = frames.clone();
            changed[0, t] += 1;
            var after = model.forward(SequenceInput.FromFrames(changed));
            TensorAssert.BitEqual(before.narrow(1, 0, t), after.narrow(1, 0, t), $"before position {t}");
            Assert.False(before[0, t].allclose(after[0, t]) || before[0, Length - 1].allclose(after[0, Length - 1]), $"position {t} changed nothing");
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_bidirectional_model_with_exchanged_directions_mirrors_the_reversed_sequence(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Causal with { Bidirectional = true }, seed: 2);
        using var mirrored = new MambaModel(Causal with { Bidirectional = true }, seed: 3);
        var weights = model.state_dict();
        foreach (var (name, target) in mirrored.state_dict())
            target.copy_(weights[Exchange(name)]);
        int[] lengths = [Length, 8, 1, 0];
        var frames = Frames(4);

        var want = SequenceReverse.Apply(model.forward(SequenceInput.FromFrames(frames, lengths)), lengths);
        var got = mirrored.forward(SequenceInput.FromFrames(SequenceReverse.Apply(frames, lengths), lengths));

        for (var row = 0; row < lengths.Length; row++)
            TensorAssert.Close(want[row].narrow(0, 0, lengths[row]), got[row].narrow(0, 0, lengths[row]), 1e-5, $"row {row}");

        static string Exchange(string name) => name.Contains("mamba_fwd") ? name.Replace("mamba_fwd", "mamba_rev") : name.Replace("mamba_rev", "mamba_fwd");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Every_position_of_a_bidirectional_model_sees_every_other(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var model = new MambaModel(Causal with { Bidirectional = true }, seed: 2);
        var frames = Frames(1).requires_grad_(true);
        foreach (var t in new[] { 0, 9, Length - 1 })
        {
            frames.grad = null;
            model.forward(SequenceInput.FromFrames(frames.alias()))[0, t].sum().backward();
            var influence = frames.grad!.abs().sum(2)[0].data<float>().ToArray();
            Assert.All(influence, value => Assert.True(value > 0));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void The_same_step_twice_gives_the_same_bits(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var first = Step();
        var again = Step();
        foreach (var (name, value) in first)
            TensorAssert.BitEqual(value, again[name], name);

        Dictionary<string, Tensor> Step()
        {
            var model = new MambaForSequenceClassification(Causal with { Bidirectional = true, DModel = 33 }, MambaPooling.Attention, 3, 0.2, seed: 9);
            var frames = Frames(8);
            var output = model.forward(SequenceInput.FromFrames(frames, [19, 3, 0, 7, 19, 18, 1, 12]));
            output.square().sum().backward();
            var results = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!);
            results.Add("output", output);
            return results;
        }
    }

    [Fact]
    public void Positions_beyond_the_maximum_share_the_last_vector()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var config = Causal with { FrameWidth = 0, VocabSize = 2, MaxPositions = 3 };
        using var model = new MambaModel(config, seed: 2);
        using var longer = new MambaModel(config with { MaxPositions = 6 }, seed: 2);
        var weights = model.state_dict();
        foreach (var (name, target) in longer.state_dict())
        {
            if (name == "positions.weight")
                target.copy_(weights[name].index_select(0, tensor(new long[] { 0, 1, 2, 2, 2, 2 })));
            else
                target.copy_(weights[name]);
        }

        using var ids = SequenceInput.FromIds([0, 1, 1, 0, 0, 1], 1, 6, [6]);
        TensorAssert.BitEqual(longer.forward(ids), model.forward(ids), "hidden");
    }

    [Fact]
    public void Periodic_positions_begin_again_whole_in_pieces_and_step_by_step()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var config = Causal with { FrameWidth = 0, VocabSize = 2, MaxPositions = 3, PeriodicPositions = true };
        using var model = new MambaModel(config, seed: 2);
        using var longer = new MambaModel(config with { MaxPositions = 8, PeriodicPositions = false }, seed: 2);
        var weights = model.state_dict();
        foreach (var (name, target) in longer.state_dict())
            target.copy_(name == "positions.weight" ? weights[name].index_select(0, tensor(new long[] { 0, 1, 2, 0, 1, 2, 0, 1 })) : weights[name]);
        int[] ids = [0, 1, 1, 0, 0, 1, 1, 0];
        var expected = longer.forward(SequenceInput.FromIds(ids, 1, 8, [8]));

        TensorAssert.BitEqual(expected, model.forward(SequenceInput.FromIds(ids, 1, 8, [8])), "whole");
        using var state = model.NewState(1);
        var pieces = new[] { ids[..4], ids[4..] }.Select(part => model.Forward(SequenceInput.FromIds(part, 1, 4, [4]), state)).ToArray();
        TensorAssert.Close(expected, cat(pieces, 1), 1e-5, "in pieces");
        using var stepped = model.NewState(1);
        for (var t = 0; t < ids.Length; t++)
            TensorAssert.Close(expected[.., t], model.Step(tensor(new long[] { ids[t] }), stepped), 1e-5, $"step {t}");
    }

    [Fact]
    public void Input_of_the_other_kind_is_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new MambaModel(Causal, seed: 1);
        using var ids = SequenceInput.FromIds([0, 1], 1, 2, [2]);
        using var wide = SequenceInput.FromFrames(zeros(1, 2, 5));
        Assert.StartsWith(
            "MambaModel: the batch holds ids; expected frames (B, L, F) with F = FrameWidth = 4.",
            Assert.Throws<ArgumentException>(() => model.forward(ids)).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "MambaModel: frames have width 5; expected FrameWidth = 4.",
            Assert.Throws<ArgumentException>(() => model.forward(wide)).Message, StringComparison.Ordinal);
    }

    private static Tensor Frames(long batch) => RandomTensor.Single(new Random(6), batch, Length, 4);
}
