using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Tests.Checkpoints;
using Microsoft.ML.Mamba.Tests.Data;
using Microsoft.ML.Mamba.Tests.Support;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Checkpoint folders as encoders of a pipeline.</summary>
public sealed class CheckpointEncoderTests
{
    /// <summary>As the README of the golden files states.</summary>
    private const double Tolerance = 2e-5;

    private static readonly SequenceTokenizer Tokenizer = TinyTokenizer.With();

    private readonly MLContext _ml = new(seed: 4);

    public static TheoryData<string> Folders() => new() { "mamba-tied", "mamba-untied-sharded", "falcon-mamba" };

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void Each_position_has_the_hidden_state_of_transformers_in_whatever_batch_it_is(string name)
    {
        using var scope = NewDisposeScope();
        var folder = SharedFolder.Path("golden", "hf", name);
        var golden = SafeTensors.Read(Path.Combine(folder, "reference.safetensors"));
        int[] lengths = [1, 37, 5, 20, 37, 1];
        var rows = Array.ConvertAll(lengths, length => new Ids { Sequence = IdsOf(golden["input_ids"][0], length) });
        var data = _ml.Data.LoadFromEnumerable(rows);

        using var model = _ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options { Pretrained = MambaEncoder.Load(folder), PerPosition = true, ScoringBatchSize = 4 }).Fit(data);
        var got = _ml.Data.CreateEnumerable<EmbeddingModels.Embedded>(model.Transform(data), reuseRowObject: false).ToArray();

        Assert.Equal(lengths.Length, got.Length);
        foreach (var (length, row) in lengths.Zip(got))
        {
            var want = golden[$"prefix_{length}_last_hidden"];
            TensorAssert.Close(want, tensor(row.Embedding, want.shape), Tolerance, $"prefix of {length}");
        }
    }

    [SkippableTheory]
    [InlineData(MambaPooling.Last)]
    [InlineData(MambaPooling.First)]
    [InlineData(MambaPooling.Mean)]
    [InlineData(MambaPooling.Max)]
    public void A_pooled_vector_is_that_of_the_golden_states(MambaPooling pooling)
    {
        using var scope = NewDisposeScope();
        var folder = SharedFolder.Path("golden", "hf", "mamba-tied");
        var golden = SafeTensors.Read(Path.Combine(folder, "reference.safetensors"));
        var data = _ml.Data.LoadFromEnumerable(new[] { new Ids { Sequence = IdsOf(golden["input_ids"][0], 20) }, new Ids { Sequence = IdsOf(golden["input_ids"][0], 37) } });
        var states = golden["prefix_20_last_hidden"];
        var want = pooling switch
        {
            MambaPooling.Last => states[19],
            MambaPooling.First => states[0],
            MambaPooling.Mean => states.mean([0]),
            _ => states.amax([0]),
        };

        using var model = _ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options { Pretrained = MambaEncoder.Load(folder), Pooling = pooling }).Fit(data);
        var got = _ml.Data.CreateEnumerable<EmbeddingModels.Embedded>(model.Transform(data), reuseRowObject: false).First().Embedding;

        TensorAssert.Close(want, tensor(got), Tolerance, $"{pooling}");
    }

    [Fact]
    public void A_folder_gives_encoder_and_tokenizer_and_what_is_fitted_needs_it_no_longer()
    {
        var texts = _ml.Data.LoadFromEnumerable(new[] { new Text { Sequence = "low lower" }, new Text { Sequence = "" }, new Text { Sequence = "newest" } });
        List<RowValues> expected;
        ModelZip saved;
        using (var folder = new TemporaryCheckpoint())
        {
            var encoder = MambaEncoder.Load(folder.Path);
            Assert.NotNull(encoder.Tokenizer);
            Assert.False(encoder.Model.Bidirectional);
            using var model = _ml.Transforms.MambaEmbed("Embedding", "Sequence", encoder).Fit(texts);
            saved = ModelZip.Save(_ml, model, texts.Schema);
            expected = RowValues.ReadAll(model.Transform(texts));
        }

        RowValues.AssertSame(expected, RowValues.ReadAll(saved.Load(_ml).Transform(texts)));
    }

    [Fact]
    public void A_classifier_starts_from_a_checkpoint()
    {
        using var folder = new TemporaryCheckpoint();
        var checkpoint = MambaCheckpoint.Load(folder.Path);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 12).Select(i => new Text { Sequence = i % 2 == 0 ? "low low" : "newest", Label = i % 2 == 0 }));

        using var model = _ml.BinaryClassification.Trainers.Mamba(new MambaBinaryTrainer.Options
        {
            Pretrained = MambaEncoder.Of(checkpoint),
            Tokenizer = Tokenizer,
            FreezeEncoder = true,
            Training = new MambaTrainingOptions { Epochs = 1, ValidationFraction = 0 },
        }).Fit(data);

        using var encoder = checkpoint.CreateEncoder();
        Assert.Equal(checkpoint.Config, model.Model);
        Assert.Equal(encoder.state_dict()["embeddings.weight"].data<float>().ToArray(), EmbeddingTable(model));
    }

    [Fact]
    public void An_encoder_learnt_here_is_a_checkpoint_for_others()
    {
        var texts = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Text { Sequence = i % 2 == 0 ? "low lower lowest" : "new newer newest" }));
        var options = EmbeddingModels.Options(o =>
        {
            o.Tokenizer = SequenceTokenizer.LearnBytePairs(["low lower lowest new newer newest"], vocabSize: 260);
            o.Model = o.Model with { Bidirectional = false };
        });
        using var learnt = _ml.Transforms.MambaEmbed(options).Fit(texts);
        var folder = Directory.CreateTempSubdirectory("mamba-checkpoint-").FullName;
        try
        {
            MambaEncoder.Of(learnt).SaveCheckpoint(folder);
            using var copy = _ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Load(folder)).Fit(texts);

            RowValues.AssertSame(RowValues.ReadAll(learnt.Transform(texts)), RowValues.ReadAll(copy.Transform(texts)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_bidirectional_encoder_has_no_place_in_a_checkpoint()
    {
        using var learnt = EmbeddingModels.Fit(_ml);

        var error = Assert.Throws<ArgumentException>(() => MambaEncoder.Of(learnt).SaveCheckpoint(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"))));

        Assert.Contains("Bidirectional", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_refused()
    {
        var checkpoint = TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(), TinyCheckpoint.SafeTensorsFile(TinyCheckpoint.Model()));

        var error = Assert.Throws<ArgumentException>(() => MambaEncoder.Of(checkpoint, SequenceTokenizer.Bytes));

        Assert.StartsWith("MambaEncoder.Of: the tokenizer 'bytes' makes ids up to 255, but the checkpoint has vectors for 8;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_went_away_before_Fit_are_named()
    {
        MambaEncoder encoder;
        using (var folder = new TemporaryCheckpoint())
            encoder = MambaEncoder.Load(folder.Path);
        var data = _ml.Data.LoadFromEnumerable(new[] { new Text { Sequence = "low" } });

        var error = Assert.ThrowsAny<IOException>(() => _ml.Transforms.MambaEmbed("Embedding", "Sequence", encoder).Fit(data));

        Assert.Contains("model.safetensors", error.Message, StringComparison.Ordinal);
    }

    private static int[] IdsOf(Tensor row, int length) => Array.ConvertAll(row.narrow(0, 0, length).data<long>().ToArray(), id => (int)id);

    private static float[] EmbeddingTable(ITransformer model)
    {
        var predictor = ((IPredictorOwner)model).Predictor;
        using var encoder = new MambaModel(predictor.Description.Config, seed: 0);
        predictor.CopyEncoderTo(encoder);
        return encoder.state_dict()["embeddings.weight"].data<float>().ToArray();
    }

    public sealed class Ids
    {
        public int[] Sequence { get; set; } = [];
    }

    public sealed class Text
    {
        public string Sequence { get; set; } = "";

        public bool Label { get; set; }
    }
}
