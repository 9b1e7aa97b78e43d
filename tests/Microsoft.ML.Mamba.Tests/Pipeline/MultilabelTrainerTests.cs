using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class MultilabelTrainerTests
{
    private readonly MLContext _ml = new(seed: 3);

    [Theory]
    [InlineData("Text")]
    [InlineData("Flags")]
    [InlineData("Values")]
    public void It_does_what_ML_NET_tests_of_every_estimator(string label)
    {
        var valid = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(60));
        var unlabelled = _ml.Transforms.DropColumns("Text", "Flags", "Values").Fit(valid).Transform(valid);
        var trainer = MultilabelData.Trainer(_ml, label, o => o.Tokenizer = null);

        new EstimatorContract(_ml, trainer).Check(valid, unlabelled, EstimatorContractTests.WrongType(_ml, valid), EstimatorContractTests.FramesInstead(_ml, valid));
    }

    [Fact]
    public void Tags_of_a_text_become_slots_in_ordinal_order()
    {
        var data = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(60));
        using var model = MultilabelData.Trainer(_ml, "Text").Fit(data);

        var schema = model.Transform(data).Schema;

        Assert.Equal(MultilabelData.Tags, SlotNames(schema["Score"]));
        Assert.Equal(MultilabelData.Tags, SlotNames(schema["PredictedLabels"]));
        Assert.Equal("Vector<Boolean, 3>", schema["PredictedLabels"].Type.ToString());
    }

    [Fact]
    public void Equal_tags_give_equal_models_in_all_three_forms()
    {
        var data = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(60));
        var scores = new[] { "Text", "Flags", "Values" }.Select(label =>
        {
            using var model = MultilabelData.Trainer(new MLContext(seed: 3), label).Fit(data);
            return model.Transform(data).GetColumn<float[]>("Score").SelectMany(s => s).ToArray();
        }).ToArray();

        Assert.Equal(scores[0], scores[1]);
        Assert.Equal(scores[0], scores[2]);
    }

    [Fact]
    public void A_score_is_predicted_from_the_threshold_of_its_tag_on_and_a_saved_model_keeps_it()
    {
        var data = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(120));
        using var model = MultilabelData.Trainer(_ml, "Flags", o => o.Training.ValidationFraction = 0.5).Fit(data);
        var thresholds = model.Thresholds;

        var rows = _ml.Data.CreateEnumerable<Prediction>(model.Transform(data), reuseRowObject: false).ToList();
        using var loaded = (MambaMultilabelTransformer)ModelZip.Save(_ml, model, data.Schema).Load(new MLContext());

        Assert.Contains(thresholds, t => t != 0.5f);
        Assert.All(rows, row => Assert.Equal(row.Score.Zip(thresholds, (s, t) => s >= t), row.PredictedLabels));
        Assert.Equal(thresholds, loaded.Thresholds);
    }

    [Fact]
    public void Without_validation_rows_thresholds_are_one_half()
    {
        var data = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(60));
        using var model = MultilabelData.Trainer(_ml, "Flags", o => o.Training.ValidationFraction = 0).Fit(data);

        Assert.Equal([0.5f, 0.5f, 0.5f], model.Thresholds);
    }

    [Fact]
    public void It_learns_which_tags_a_sequence_has()
    {
        var data = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(400));
        var test = _ml.Data.LoadFromEnumerable(MultilabelData.Rows(500).Skip(400));
        using var model = MultilabelData.Trainer(_ml, "Flags", o =>
        {
            o.Model = new MambaConfig { DModel = 16, NLayer = 1 };
            o.Training = new MambaTrainingOptions { Epochs = 25, BatchSize = 16, LearningRate = 5e-3, ClassWeighting = MambaClassWeighting.Balanced };
        }).Fit(data);

        var metrics = _ml.MultilabelClassification().Evaluate(model.Transform(test), "Flags");

        Assert.True(metrics.Tags[2].AveragePrecision > 0.9, metrics.ToString()); // by chance 0.33
        Assert.Equal("mean average precision", model.History.Epochs[^1].MetricName);
    }

    [Fact]
    public void Rows_with_a_missing_value_are_skipped()
    {
        var rows = MultilabelData.Rows(60);
        rows[4].Values[1] = float.NaN;
        using var model = MultilabelData.Trainer(_ml, "Values").Fit(_ml.Data.LoadFromEnumerable(rows));

        Assert.Equal(59, model.History.TrainingSequences + model.History.ValidationSequences);
    }

    [Fact]
    public void Labels_that_leave_nothing_to_learn_are_an_error()
    {
        var rows = MultilabelData.Rows(30);
        rows.ForEach(row => (row.Text, row.Flags) = ("", [false, false, false]));
        var data = _ml.Data.LoadFromEnumerable(rows);

        Assert.Contains("names no tag in any row", EstimatorContract.MustFail(() => MultilabelData.Trainer(_ml, "Text").Fit(data)).Message, StringComparison.Ordinal);
        Assert.Contains("have no tag", EstimatorContract.MustFail(() => MultilabelData.Trainer(_ml, "Flags").Fit(data)).Message, StringComparison.Ordinal);
    }

    private static string[] SlotNames(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];

        public bool[] PredictedLabels { get; set; } = [];
    }
}
