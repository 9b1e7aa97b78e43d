using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Models of both strands: f of the reverse complement is the reverse complement of f.</summary>
public sealed class ReverseComplementTests
{
    private const double Tolerance = 1e-6;

    private static readonly int[] Lengths = [7, 12, 0, 1, 5, 2];

    private static readonly MambaConfig Config = new()
    {
        DModel = 12,
        NLayer = 3,
        DState = 4,
        VocabSize = 7,
        TieDirections = true,
        DirectionMerge = MambaDirectionMerge.Sum,
        ReverseComplement = MambaReverseComplement.Equivariant,
        Complements = [3, 2, 1, 0],
    };

    public static TheoryData<MambaPooling, MambaReverseComplement> Poolings()
    {
        var cases = new TheoryData<MambaPooling, MambaReverseComplement>();
        foreach (var pooling in Enum.GetValues<MambaPooling>())
        {
            cases.Add(pooling, MambaReverseComplement.Equivariant);
            cases.Add(pooling, MambaReverseComplement.EquivariantExchanging);
        }

        return cases;
    }

    public static TheoryData<MambaReverseComplement, string> Backends()
    {
        var cases = new TheoryData<MambaReverseComplement, string>();
        foreach (var backend in BackendCases.OnCpu)
        {
            cases.Add(MambaReverseComplement.Equivariant, backend);
            cases.Add(MambaReverseComplement.EquivariantExchanging, backend);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Poolings))]
    public void Scores_of_a_sequence_are_those_of_its_reverse_complement(MambaPooling pooling, MambaReverseComplement kind)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaForSequenceClassification(Config with { ReverseComplement = kind, MaxPositions = 9 }, pooling, 3, 0, seed: 2);
        model.eval();

        TensorAssert.Close(model.forward(Batch()), model.forward(OtherStrand()), Tolerance, "scores");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void States_of_the_reverse_complement_are_the_states_read_backwards(MambaReverseComplement kind, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Config with { ReverseComplement = kind }, seed: 2);
        foreach (var layer in new int?[] { 1, 2, 3, null })
        {
            var states = model.Encode(Batch(), layer, mask: null);
            AssertBackwards(states, model.Encode(OtherStrand(), layer, mask: null), $"layer {layer}");
            Assert.NotEqual(0, states.std().item<float>());
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Scores_of_ids_are_those_of_the_complements_read_backwards(MambaReverseComplement kind, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var tied in new[] { true, false })
        {
            using var model = new MambaForMaskedLM(Config with { ReverseComplement = kind }, tied, seed: 2);
            var other = model.forward(OtherStrand());
            using var complements = tensor(new long[] { 3, 2, 1, 0, 4, 5, 6 });

            AssertBackwards(model.forward(Batch()), other.index_select(-1, complements), "scores");
        }
    }

    [Theory]
    [InlineData(MambaReverseComplement.Equivariant)]
    [InlineData(MambaReverseComplement.EquivariantExchanging)]
    public void A_sequence_of_a_padded_batch_has_the_states_that_it_has_alone(MambaReverseComplement kind)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaModel(Config with { ReverseComplement = kind }, seed: 2);
        var ids = Ids(4);
        using var batch = SequenceInput.FromIds(ids, Lengths);
        var together = model.forward(batch);
        for (var row = 0; row < Lengths.Length; row++)
        {
            using var alone = SequenceInput.FromIds(ids[row].narrow(0, 0, Lengths[row]).unsqueeze(0).contiguous());
            TensorAssert.Close(model.forward(alone)[0], together[row].narrow(0, 0, Lengths[row]), 1e-5, $"row {row}");
        }
    }

    [Fact]
    public void Tied_directions_share_their_projections_and_no_others()
    {
        using var tied = new MambaModel(Config, seed: 2);
        using var own = new MambaModel(Config with { TieDirections = false }, seed: 2);
        var shared = own.state_dict().Keys.Except(tied.state_dict().Keys).Order();

        Assert.Equal(
            Enumerable.Range(0, 3).SelectMany(i => new[] { $"layers.{i}.mixer.mamba_rev.in_proj.weight", $"layers.{i}.mixer.mamba_rev.out_proj.weight" }), shared);
    }

    [Fact]
    public void Settings_that_contradict_each_other_are_all_named()
    {
        var error = Assert.Throws<ArgumentException>((Config with
        {
            Bidirectional = false,
            VocabSize = 3,
            Complements = [3, 2, 1, 5],
        }).Validate);

        Assert.Equal(
            "MambaConfig: DirectionMerge is Sum and Bidirectional is false; expected Mean, or two directions. TieDirections is true and Bidirectional is false; "
            + "expected false, or two directions. ReverseComplement is Equivariant and Bidirectional is false; expected None, or two directions. "
            + "Complements has 4 ids; expected at most VocabSize = 3. Complements of id 0 is 3; expected an id from 0 to 3 whose complement is 0.",
            error.Message);
        Assert.Contains("Complements is null", Assert.Throws<ArgumentException>(() => new MambaModel(Config with { Complements = null }, 1)).Message);
        Assert.Contains("frames have no complements", Assert.Throws<ArgumentException>((Config with { VocabSize = 0, FrameWidth = 2 }).Validate).Message);
    }

    [Fact]
    public void Architectures_with_the_same_complements_are_equal()
    {
        Assert.Equal(Config, Config with { Complements = new List<int> { 3, 2, 1, 0 } });
        Assert.NotEqual(Config, Config with { Complements = [0, 1, 2, 3] });
    }

    private static void AssertBackwards(Tensor want, Tensor got, string what)
    {
        for (var row = 0; row < Lengths.Length; row++)
        {
            var length = Lengths[row];
            TensorAssert.Close(want[row].narrow(0, 0, length), got[row].narrow(0, 0, length).flip(0), Tolerance, $"{what}, row {row}");
        }
    }

    private static SequenceInput Batch() => SequenceInput.FromIds(Ids(padding: 2), Lengths);

    /// <summary>The same sequences as their reverse complements.</summary>
    private static SequenceInput OtherStrand()
    {
        var ids = Ids(padding: 5);
        var values = ids.data<long>().ToArray();
        for (var row = 0; row < Lengths.Length; row++)
        {
            var strand = values.AsSpan(row * 12, Lengths[row]);
            strand.Reverse();
            foreach (ref var id in strand)
                id = id < 4 ? 3 - id : id;
        }

        return SequenceInput.FromIds(tensor(values, ids.shape), Lengths);
    }

    private static Tensor Ids(int padding)
    {
        var random = new Random(5);
        var ids = new long[Lengths.Length * 12];
        for (var i = 0; i < ids.Length; i++)
        {
            var id = random.Next(7);
            ids[i] = i % 12 < Lengths[i / 12] ? id : padding;
        }

        return tensor(ids, [Lengths.Length, 12]);
    }
}
