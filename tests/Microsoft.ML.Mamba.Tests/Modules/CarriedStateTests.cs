using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>A causal model in pieces, step by step, and in one pass.</summary>
public sealed class CarriedStateTests
{
    private const double Tolerance = 1e-5;
    private const int Length = 23;

    private static readonly MambaConfig Config = new() { DModel = 16, NLayer = 2, DState = 4, VocabSize = 11, Bidirectional = false, MaxPositions = 15 };

    private static readonly Dictionary<string, MambaConfig> Kinds = new()
    {
        ["Mamba"] = Config,
        ["Falcon-Mamba"] = Config with { MixerNormEpsilon = 1e-3f },
        ["LayerNorm"] = Config with { Norm = MambaNorm.LayerNorm },
    };

    public static TheoryData<string, string> Models() => BackendCases.Of(Kinds.Keys);

    public static TheoryData<MambaPooling, string> Poolings()
    {
        var cases = new TheoryData<MambaPooling, string>();
        foreach (var pooling in Enum.GetValues<MambaPooling>())
        {
            foreach (var backend in BackendCases.OnCpu)
                cases.Add(pooling, backend);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_sequence_cut_anywhere_equals_one_pass(string kind, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Kinds[kind], seed: 2);
        using var whole = Ids();
        var want = model.forward(whole);
        for (var cut = 0; cut <= Length; cut++)
        {
            using var state = model.NewState(2);
            var first = model.Forward(whole.Slice(0, cut), state);
            var second = model.Forward(whole.Slice(cut, Length - cut), state);
            TensorAssert.Close(want, cat([first, second], 1), Tolerance, $"cut at {cut}");
            Assert.Equal(Length, state.Position);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Steps_equal_one_pass(string kind, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Kinds[kind], seed: 2);
        using var whole = Ids();
        using var state = model.NewState(2);

        var steps = Enumerable.Range(0, Length).Select(t => model.Step(whole.Ids!.select(1, t), state)).ToArray();

        TensorAssert.Close(model.forward(whole), stack(steps, 1), Tolerance, "steps");
    }

    [Fact]
    public void Steps_of_more_rows_than_the_vector_kernel_takes_equal_those_of_each_row()
    {
        using var scope = NewDisposeScope();
        var rows = LinearStep.MostRows + 3;
        using var model = new MambaModel(Config, seed: 2);
        using var together = model.NewState(rows);
        var ids = arange(rows, ScalarType.Int64);

        model.Step(ids, together);
        var second = model.Step(ids, together);

        for (var row = 0; row < rows; row++)
        {
            using var alone = model.NewState(1);
            var id = ids.narrow(0, row, 1);
            model.Step(id, alone);
            TensorAssert.Close(model.Step(id, alone), second.narrow(0, row, 1), Tolerance, $"row {row}");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_flow_through_the_carried_state(string kind, string backend)
    {
        using var force = KernelBackends.Force(backend);
        var want = Gradients(pieces: false);
        var got = Gradients(pieces: true);
        foreach (var (name, gradient) in want)
            TensorAssert.Close(gradient, got[name], 1e-4, name);

        Dictionary<string, Tensor> Gradients(bool pieces)
        {
            using var scope = NewDisposeScope();
            using var model = new MambaModel(Kinds[kind], seed: 2);
            using var whole = Ids();
            using var state = model.NewState(2);
            var hidden = pieces
                ? cat([model.Forward(whole.Slice(0, 9), state), model.Forward(whole.Slice(9, Length - 9), state)], 1)
                : model.forward(whole);
            hidden.square().narrow(1, 10, 13).sum().backward();
            return model.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.clone().DetachFromDisposeScope());
        }
    }

    [Theory]
    [MemberData(nameof(Poolings))]
    public void Pooling_in_pieces_equals_pooling_the_whole(MambaPooling pooling, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaForSequenceClassification(Config, pooling, 3, 0, seed: 4);
        var queries = model.state_dict().GetValueOrDefault("pooling.queries");
        queries?.mul_(50); // sharp attention, so that the running maximum matters
        var random = new Random(3);
        int[] lengths = [Length, 0, 6, 13, 1];
        using var input = SequenceInput.FromIds(Enumerable.Range(0, 5 * Length).Select(_ => random.Next(11)).ToArray(), 5, Length, lengths);
        var head = model.state_dict();
        Tensor Score(Tensor pooled) => nn.functional.linear(pooled, head["head.weight"], head["head.bias"]);

        var want = model.forward(input);

        foreach (var piece in new[] { 1, 5, 6, 7, 22, 23, 100 })
            TensorAssert.Close(want, Score(model.PoolInPieces(input, piece)), Tolerance, $"pieces of {piece}");
    }

    [Fact]
    public void A_long_sequence_outside_of_gradient_mode_is_read_in_pieces()
    {
        using var scope = NewDisposeScope();
        var length = MambaForSequenceClassification.ChunkLength + 100;
        using var model = new MambaForSequenceClassification(Config with { DModel = 4, NLayer = 1 }, MambaPooling.Last, 2, 0, seed: 4);
        var random = new Random(3);
        using var input = SequenceInput.FromIds(Enumerable.Range(0, length).Select(_ => random.Next(11)).ToArray(), 1, length, [length]);
        var whole = model.forward(input);
        using var noGradient = no_grad();
        TensorAssert.Close(whole, model.forward(input), Tolerance, "scores");
    }

    [Theory]
    [InlineData("Mamba")]
    [InlineData("Falcon-Mamba")]
    [InlineData("LayerNorm")]
    public void Every_model_computes_in_float64_as_well(string kind)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Kinds[kind], seed: 2);
        using var input = Ids();
        var want = model.forward(input);

        TensorAssert.Close(model.to(float64).forward(input), want.to(float64), Tolerance, "hidden states");
    }

    [Fact]
    public void A_bidirectional_model_refuses_to_carry_state()
    {
        using var model = new MambaModel(Config with { Bidirectional = true }, seed: 1);
        var error = Assert.Throws<InvalidOperationException>(() => model.NewState(1));
        Assert.Equal("MambaModel: a bidirectional model sees the whole sequence and carries no state; build it with Bidirectional = false.", error.Message);
    }

    private static SequenceInput Ids()
    {
        var random = new Random(1);
        return SequenceInput.FromIds(Enumerable.Range(0, 2 * Length).Select(_ => random.Next(11)).ToArray(), 2, Length, [Length, Length]);
    }
}
