using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class MambaEmbeddingTests
{
    private readonly MLContext _ml = new(seed: 3);

    [Fact]
    public void A_sequence_becomes_a_vector_without_annotations()
    {
        using var model = EmbeddingModels.Fit(_ml);
        var schema = model.GetOutputSchema(_ml.Data.LoadFromEnumerable(PipelineData.Rows(1)).Schema);

        Assert.Equal("Vector<Single, 8>", schema["Embedding"].Type.ToString());
        Assert.Empty(schema["Embedding"].Annotations.Schema);
        Assert.Equal("perplexity", Assert.Single(model.History.Epochs).MetricName);
    }

    [Fact]
    public void Each_position_becomes_a_vector_whose_mean_is_the_pooled_one()
    {
        var rows = PipelineData.Rows(7, seed: 9);
        using var pooled = EmbeddingModels.Fit(_ml);
        using var positions = _ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options { Pretrained = MambaEncoder.Of(pooled), PerPosition = true })
            .Fit(_ml.Data.LoadFromEnumerable(rows));

        Assert.Equal("Vector<Single, *, 8>", positions.GetOutputSchema(_ml.Data.LoadFromEnumerable(rows).Schema)["Embedding"].Type.ToString());
        var expected = EmbeddingModels.Embed(_ml, pooled, rows);
        var actual = EmbeddingModels.Embed(_ml, positions, rows);
        for (var row = 0; row < rows.Count; row++)
        {
            Assert.Equal(8 * rows[row].Sequence.Length, actual[row].Length);
            for (var i = 0; i < 8; i++)
                Assert.Equal(expected[row][i], actual[row].Where((_, k) => k % 8 == i).Average(), 1e-5f);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batches_and_neighbours_make_no_difference(bool perPosition)
    {
        var rows = PipelineData.Rows(40, seed: 5);
        rows[7].Sequence = "";
        using var model = EmbeddingModels.Fit(_ml, o => (o.PerPosition, o.Normalize) = (perPosition, true));
        using var engine = _ml.Model.CreatePredictionEngine<PipelineData.Row, EmbeddingModels.Embedded>(model, new PredictionEngineOptions { OwnsTransformer = false });

        var together = EmbeddingModels.Embed(_ml, model, rows);

        for (var row = 0; row < rows.Count; row++)
            Assert.Equal(together[row], engine.Predict(rows[row]).Embedding, (a, b) => Math.Abs(a - b) <= 1e-6f);
        Assert.All(together[7], value => Assert.Equal(0, value));
        Assert.Equal(perPosition ? 0 : 8, together[7].Length);
        Assert.Equal(1, together[0].Take(8).Sum(v => v * v), 1e-5f);
    }

    [Theory]
    [InlineData(false, 8)]
    [InlineData(true, 0)]
    public void A_row_that_cannot_be_read_has_missing_values_and_the_others_theirs(bool perPosition, int values)
    {
        var rows = PipelineData.Rows(5);
        using var model = EmbeddingModels.Fit(_ml, o => o.PerPosition = perPosition);
        var expected = EmbeddingModels.Embed(_ml, model, rows);
        rows[2].Sequence = "AC!GT";

        var actual = EmbeddingModels.Embed(_ml, model, rows);

        Assert.Equal(values, actual[2].Length);
        Assert.All(actual[2], value => Assert.True(float.IsNaN(value)));
        foreach (var row in new[] { 0, 1, 3, 4 })
            Assert.Equal(expected[row], actual[row], (a, b) => Math.Abs(a - b) <= 1e-6f);
    }

    [Fact]
    public void Equal_seeds_give_equal_encoders_and_saving_again_equal_bytes()
    {
        var schema = _ml.Data.LoadFromEnumerable(PipelineData.Rows(1)).Schema;
        using var first = EmbeddingModels.Fit(new MLContext(seed: 8));
        using var second = EmbeddingModels.Fit(new MLContext(seed: 8));
        var saved = ModelZip.Save(_ml, first, schema);
        using var loaded = (MambaEmbeddingTransformer)saved.Load(_ml);

        Assert.Equal(Weights(saved), Weights(ModelZip.Save(_ml, second, schema)));
        Assert.Equal(saved.Entries.Select(e => (e.Key, Convert.ToHexString(e.Value))), ModelZip.Save(_ml, loaded, schema).Entries.Select(e => (e.Key, Convert.ToHexString(e.Value))));

        static byte[] Weights(ModelZip zip) => zip.Entries.Single(e => e.Key.EndsWith("model.safetensors", StringComparison.Ordinal)).Value;
    }

    [Theory]
    [InlineData("\"perPosition\": false", "\"perPosition\": true", "disagree on whether each position has values")]
    [InlineData("\"normalize\": false", "\"layer\": 3, \"normalize\": false", "Layer is 3; the encoder has layers 1 to 2.")]
    [InlineData("\"pooling\": \"Mean\"", "\"pooling\": \"Attention\"", "Pooling is Attention")]
    [InlineData("\"pooling\": \"Mean\"", "\"pooling\": \"MeanMax\"", "config.json has 16 outputs, the header of the model 8.")]
    [InlineData("\"normalize\": false", "\"normalise\": false", "config.json is damaged")]
    public void A_damaged_model_is_refused_by_name(string text, string by, string expected)
    {
        using var model = EmbeddingModels.Fit(_ml);
        var saved = ModelZip.Save(_ml, model, _ml.Data.LoadFromEnumerable(PipelineData.Rows(1)).Schema);

        saved.Replace("config.json", text, by);

        var error = Assert.IsAssignableFrom<FormatException>(saved.LoadError());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_trainer_of_ML_NET_can_follow()
    {
        var data = _ml.Data.LoadFromEnumerable(PipelineData.Rows(60));
        var pipeline = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_ml.Transforms.MambaEmbed(EmbeddingModels.Options(o => o.OutputColumnName = "Features")))
            .Append(_ml.MulticlassClassification.Trainers.SdcaMaximumEntropy());

        using var model = pipeline.Fit(data);

        Assert.True(_ml.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy > 0);
    }

    [Fact]
    public void Cancelling_and_progress_are_those_of_a_training()
    {
        using var source = new CancellationTokenSource();
        var epochs = 0;
        var estimator = _ml.Transforms.MambaEmbed(EmbeddingModels.Options(o =>
        {
            o.Training.Epochs = 3;
            o.CancellationToken = source.Token;
            o.Progress = progress =>
            {
                epochs += progress.EpochCompleted ? 1 : 0;
                source.Cancel();
            };
        }));

        Assert.Throws<OperationCanceledException>(() => estimator.Fit(_ml.Data.LoadFromEnumerable(PipelineData.Rows(60))));
        Assert.Equal(1, epochs);
    }

    [Fact]
    public void Options_out_of_range_are_listed_at_once()
    {
        var options = new MambaEmbeddingEstimator.Options
        {
            OutputColumnName = "",
            InputColumnName = null,
            Pooling = MambaPooling.Attention,
            Layer = 3,
            PerPosition = true,
            Training = new MambaTrainingOptions { ReverseComplementAveraging = true },
        };

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.MambaEmbed(options));

        Assert.Equal(
            [
                "MambaEmbeddingEstimator: the options are out of range:",
                "InputColumnName is empty; expected a column name.",
                "OutputColumnName is empty; expected a column name.",
                "Pooling is Attention, whose queries only labels could teach; expected Last, First, Mean, Max or MeanMax.",
                "Layer is 3; expected 1 to NLayer = 2, or null for the encoder's result.",
                "ReverseComplementAveraging is true; it has no meaning for one vector per position. (Parameter 'options')",
            ],
            error.Message.Split(Environment.NewLine));
    }
}
