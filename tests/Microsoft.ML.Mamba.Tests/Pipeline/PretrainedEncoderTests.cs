using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Mamba.Tests.Training;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class PretrainedEncoderTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 4);
    private readonly MambaEmbeddingTransformer _encoder;
    private readonly List<PipelineData.Row> _rows = PipelineData.Rows(60);

    public PretrainedEncoderTests() => _encoder = EmbeddingModels.Fit(_ml, o => o.Training.MaxLength = 20);

    [Fact]
    public void A_copy_embeds_as_its_source_and_outlives_it()
    {
        var expected = EmbeddingModels.Embed(_ml, _encoder, _rows);
        var chain = _ml.Transforms.CopyColumns("Other", "Sequence").Append(new Fitted(_encoder)).Fit(_ml.Data.LoadFromEnumerable(_rows));
        using var copy = _ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(chain)).Fit(_ml.Data.LoadFromEnumerable(_rows));
        _encoder.Dispose();

        Assert.Equal(expected, EmbeddingModels.Embed(_ml, copy, _rows));
        Assert.Equal((SequenceTokenizer.Dna, 20), (Describe(copy).Tokenizer, Describe(copy).MaxLength));
    }

    [Fact]
    public void The_encoder_of_a_trainer_embeds_too()
    {
        using var classifier = (MambaMulticlassTransformer)Trainer(null).Fit(Labelled());
        using var model = _ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(classifier)).Fit(Labelled());

        Assert.Equal(classifier.Model.DModel, EmbeddingModels.Embed(_ml, model, _rows)[0].Length);
        Assert.Equal(EncoderWeights(classifier), EncoderWeights(model));
    }

    [Fact]
    public void A_frozen_encoder_stays_as_it_is_to_the_bit()
    {
        using var model = (MambaMulticlassTransformer)Trainer(o => o.FreezeEncoder = true).Fit(Labelled());

        Assert.Equal(EncoderWeights(_encoder), EncoderWeights(model));
        Assert.Equal(20, Describe(model).MaxLength);
    }

    [Fact]
    public void A_lower_learning_rate_moves_the_encoder_less()
    {
        var start = EncoderWeights(_encoder);
        double Moved(double scale)
        {
            using var model = (MambaMulticlassTransformer)Trainer(o => o.EncoderLearningRateScale = scale).Fit(Labelled());
            return EncoderWeights(model).Zip(start).Sum(w => Math.Abs((double)w.First - w.Second));
        }

        var (slow, full) = (Moved(0.01), Moved(1));

        Assert.True(slow > 0 && slow < full / 10, $"{slow} at a hundredth of the rate, {full} at the full rate");
    }

    [Fact]
    public void A_fine_tuned_model_is_saved_whole()
    {
        var data = Labelled();
        var model = Trainer(o => o.FreezeEncoder = true).Fit(data);
        var expected = RowValues.ReadAll(model.Transform(data));
        var saved = ModelZip.Save(_ml, model, data.Schema);
        ((IDisposable)model).Dispose();
        _encoder.Dispose();

        RowValues.AssertSame(expected, RowValues.ReadAll(saved.Load(_ml).Transform(data)));
    }

    [Fact]
    public void Settings_that_contradict_the_encoder_are_refused()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o =>
        {
            o.Pretrained = MambaEncoder.Of(_encoder);
            o.Model = new MambaConfig { DModel = 12 };
            o.Tokenizer = SequenceTokenizer.Bytes;
            ((MambaTrainerOptions)o).EncoderLearningRateScale = 0;
        }));

        Assert.Contains("EncoderLearningRateScale is 0; expected a number above 0 and at most 1.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Model is set, but the architecture is that of the encoder in Pretrained.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Tokenizer is 'bytes', but the encoder in Pretrained was learnt with 'dna'.", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "they need an encoder in Pretrained.",
            Assert.Throws<ArgumentOutOfRangeException>(() => PipelineModels.Trainer(_ml, PipelineTask.Binary, o => o.FreezeEncoder = true)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Only_models_of_ours_have_an_encoder()
    {
        var other = _ml.Transforms.CopyColumns("Other", "Sequence").Fit(_ml.Data.LoadFromEnumerable(_rows));

        Assert.StartsWith("MambaEncoder.Of: ColumnCopyingTransformer holds no Mamba model;", Assert.Throws<ArgumentException>(() => MambaEncoder.Of(other)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _encoder.Dispose();

    private IDataView Labelled() => PipelineData.View(_ml, PipelineTask.Multiclass, _rows);

    private IEstimator<ITransformer> Trainer(Action<MambaTrainerOptions>? change) => PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o =>
    {
        if (change is not null)
        {
            (o.Pretrained, o.Model) = (MambaEncoder.Of(_encoder), new MambaConfig());
            change(o);
        }
    });

    private static ModelDescription Describe(ITransformer model) => ((IPredictorOwner)model).Predictor.Description;

    private static float[] EncoderWeights(ITransformer model)
    {
        using var encoder = new MambaModel(Describe(model).Config, seed: 0);
        ((IPredictorOwner)model).Predictor.CopyEncoderTo(encoder);
        return [.. NetworkWeights.Of(encoder).SelectMany(w => w.Tensor.data<float>().ToArray())];
    }

    /// <summary>An estimator whose Fit gives a transformer that was fitted before.</summary>
    private sealed class Fitted(MambaEmbeddingTransformer model) : IEstimator<MambaEmbeddingTransformer>
    {
        public MambaEmbeddingTransformer Fit(IDataView input) => model;

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }
}
