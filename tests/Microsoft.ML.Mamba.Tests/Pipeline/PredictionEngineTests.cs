using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

[Collection(PipelineCollection.Name)]
public sealed class PredictionEngineTests(PipelineModels models)
{
    private readonly List<PipelineData.Row> _rows = PipelineData.Rows(40, seed: 6);

    [Fact]
    public void An_engine_predicts_what_the_view_does()
    {
        var ml = models.Context;
        using var engine = Engine();
        var scored = ml.Data.CreateEnumerable<Prediction>(models[PipelineTask.Multiclass].Transform(ml.Data.LoadFromEnumerable(_rows)), reuseRowObject: false);

        foreach (var (row, expected) in _rows.Zip(scored))
        {
            var actual = engine.Predict(row);
            Assert.Equal(expected.PredictedLabel, actual.PredictedLabel);
            Assert.Equal(expected.Score, actual.Score, (a, b) => Math.Abs(a - b) <= 1e-6f);
            Assert.Equal(row.Id, actual.Id);
        }
    }

    [Fact]
    public void Engines_on_sixteen_threads_share_one_model()
    {
        var expected = Predict();

        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, _ =>
            Assert.All(expected.Zip(Predict()), p => Assert.Equal(p.First.Score, p.Second.Score, (a, b) => Math.Abs(a - b) <= 1e-6f)));

        List<Prediction> Predict()
        {
            using var engine = Engine();
            return [.. _rows.Select(engine.Predict)];
        }
    }

    [Fact]
    public void An_engine_on_a_whole_pipeline_gives_the_label_s_own_value()
    {
        var ml = new MLContext(seed: 1);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(PipelineModels.Trainer(ml, PipelineTask.Multiclass))
            .Append(ml.Transforms.Conversion.MapKeyToValue("Named", "PredictedLabel"));
        using var model = pipeline.Fit(ml.Data.LoadFromEnumerable(_rows));
        using var engine = ml.Model.CreatePredictionEngine<PipelineData.Row, NamedPrediction>(model);

        var prediction = engine.Predict(_rows[0]);

        Assert.Equal(engine.OutputSchema["Score"].RankLabels(prediction.Score)[0].Label, prediction.Named);
    }

    [Fact]
    public void An_unreadable_sequence_is_an_error_and_the_engine_goes_on()
    {
        using var engine = Engine();
        var before = engine.Predict(_rows[1]);

        var error = Assert.Throws<InvalidOperationException>(() => engine.Predict(new PipelineData.Row { Sequence = "AC-T" }));

        Assert.StartsWith("Sequence column 'Sequence', row 1 (from 0): ", error.Message, StringComparison.Ordinal);
        Assert.Equal(before.Score, engine.Predict(_rows[1]).Score);
    }

    [Fact]
    public void Disposing_an_engine_that_owns_its_model_disposes_the_model()
    {
        var ml = new MLContext(seed: 1);
        var data = PipelineData.View(ml, PipelineTask.Multiclass, _rows);
        var model = PipelineModels.Trainer(ml, PipelineTask.Multiclass).Fit(data);
        var owner = ml.Model.CreatePredictionEngine<PipelineData.Row, Prediction>(model);
        using var guest = ml.Model.CreatePredictionEngine<PipelineData.Row, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
        guest.Predict(_rows[0]);

        owner.Dispose();

        Assert.Throws<ObjectDisposedException>(() => guest.Predict(_rows[0]));
    }

    [Fact]
    public void A_row_mapper_asks_for_the_sequence_only_when_a_score_is_wanted()
    {
        var schema = models.Context.Data.LoadFromEnumerable(_rows).Schema;
        var mapper = models[PipelineTask.Multiclass].GetRowToRowMapper(schema);

        Assert.Equal(["Id"], mapper.GetDependencies([mapper.OutputSchema["Id"]]).Select(c => c.Name));
        Assert.Equal(["Id", "Sequence"], mapper.GetDependencies([mapper.OutputSchema["Id"], mapper.OutputSchema["Score"]]).Select(c => c.Name));
    }

    [Fact]
    public void A_row_of_another_schema_is_refused()
    {
        var data = models.Context.Data.LoadFromEnumerable(_rows);
        var mapper = models[PipelineTask.Multiclass].GetRowToRowMapper(data.Schema);
        var other = models.Context.Data.LoadFromEnumerable(_rows);
        using var cursor = other.GetRowCursor(other.Schema);

        Assert.Throws<ArgumentOutOfRangeException>(() => mapper.GetRow(cursor, mapper.OutputSchema));
    }

    private PredictionEngine<PipelineData.Row, Prediction> Engine() => models.Context.Model.CreatePredictionEngine<PipelineData.Row, Prediction>(
        models[PipelineTask.Multiclass], new PredictionEngineOptions { OwnsTransformer = false });

    private sealed class Prediction
    {
        public string Id { get; set; } = "";

        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }

    private sealed class NamedPrediction
    {
        public string Named { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
