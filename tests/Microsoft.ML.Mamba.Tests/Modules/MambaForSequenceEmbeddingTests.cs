using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class MambaForSequenceEmbeddingTests
{
    private const double Tolerance = 1e-6;

    private static readonly MambaConfig Config = new() { DModel = 8, NLayer = 3, DState = 4, VocabSize = 7, Bidirectional = false };

    public static TheoryData<MambaPooling?, int?> Readings => new()
    {
        { MambaPooling.Mean, null }, { MambaPooling.Last, null }, { MambaPooling.First, 2 }, { MambaPooling.Max, 1 }, { MambaPooling.MeanMax, 3 }, { null, null }, { null, 2 },
    };

    [Theory]
    [MemberData(nameof(Readings))]
    public void Pieces_of_any_length_give_what_the_whole_gives(MambaPooling? pooling, int? layer)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Model(Config, pooling, layer);
        using var input = Input([23, 5, 0, 1]);
        var want = model.call(input);

        foreach (var piece in new[] { 1, 4, 23, 100 })
            TensorAssert.Close(want, model.InPieces(input, piece), Tolerance, $"pieces of {piece}");
    }

    [Theory]
    [MemberData(nameof(Readings))]
    public void Padding_and_neighbours_make_no_difference(MambaPooling? pooling, int? layer)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        int[] lengths = [23, 5, 1];
        foreach (var bidirectional in new[] { false, true })
        {
            using var model = Model(Config with { Bidirectional = bidirectional }, pooling, layer);
            using var input = Input(lengths);
            var together = model.call(input);
            for (var row = 0; row < lengths.Length; row++)
            {
                using var alone = SequenceInput.FromIds(input.Ids!.narrow(0, row, 1).narrow(1, 0, lengths[row]).contiguous());
                var want = model.call(alone)[0];
                TensorAssert.Close(want, pooling is null ? together[row].narrow(0, 0, lengths[row]) : together[row], Tolerance, $"bidirectional: {bidirectional}, row {row}");
            }
        }
    }

    [SkippableTheory]
    [InlineData(MambaPooling.Last, "last_token")]
    [InlineData(MambaPooling.Mean, "mean_pool")]
    [InlineData(MambaPooling.Max, "max_pool")]
    [InlineData(null, "alone")]
    public void Embeddings_are_those_of_the_official_model(MambaPooling? pooling, string golden)
    {
        using var file = GoldenFile.Read("padded/mamba1_tied");
        using var source = GoldenLanguageModel.Read("mamba1_tied");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaForSequenceEmbedding(source.Backbone.Config, pooling, layer: null, dropout: 0, seed: 1);
        NetworkWeights.Copy(source.Backbone, model.Backbone);
        var lengths = file["lengths"].data<long>().Select(length => (int)length).ToArray();
        using var input = SequenceInput.FromIds(file["right_padded_ids"].alias(), lengths);

        var embedded = model.call(input);

        if (pooling is not null)
            file.AssertMatches(golden, embedded);
        for (var row = 0; pooling is null && row < lengths.Length; row++)
            file.AssertMatches($"{golden}.{row}.final_hidden", embedded[row].narrow(0, 0, lengths[row]));
    }

    [Fact]
    public void The_stream_after_the_last_block_is_what_the_last_norm_takes()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Model(Config, null, null);
        using var input = Input([9]);

        var stream = model.Backbone.Encode(input, layer: 3, mask: null);
        var normed = stream * rsqrt((stream * stream).mean([2], keepdim: true) + Config.NormEpsilon);

        TensorAssert.Close(model.call(input), normed, 1e-5, "normed stream");
    }

    [Fact]
    public void Arguments_out_of_range_are_refused()
    {
        Assert.Contains("attention pools by queries", Assert.Throws<ArgumentException>(() => Model(Config, MambaPooling.Attention, null)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Model(Config, null, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Model(Config, null, 4));
    }

    private static MambaForSequenceEmbedding Model(MambaConfig config, MambaPooling? pooling, int? layer)
    {
        var model = new MambaForSequenceEmbedding(config, pooling, layer, dropout: 0, seed: 3);
        model.eval();
        return model;
    }

    private static SequenceInput Input(int[] lengths)
    {
        var random = new Random(6);
        var longest = lengths.Max();
        return SequenceInput.FromIds([.. Enumerable.Range(0, lengths.Length * longest).Select(_ => random.Next(7))], lengths.Length, longest, lengths);
    }
}
