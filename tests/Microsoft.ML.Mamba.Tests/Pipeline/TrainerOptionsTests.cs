using System.Text.Json;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class TrainerOptionsTests
{
    [Fact]
    public void All_violations_are_listed_at_once()
    {
        var ml = new MLContext(seed: 1);
        var options = new MambaMulticlassTrainer.Options
        {
            LabelColumnName = "",
            ScoreColumnName = "Out",
            PredictedLabelColumnName = "Out",
            Pooling = (MambaPooling)77,
            FrameWidth = -1,
            ScoringBatchSize = 0,
            Model = new MambaConfig { DModel = 0, DConv = 9 },
            Training = new MambaTrainingOptions { Epochs = 0, Dropout = 1 },
        };

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => ml.MulticlassClassification.Trainers.Mamba(options));

        Assert.Equal(
            [
                "MambaMulticlassTrainer: the options are out of range:",
                "LabelColumnName is empty; expected a column name.",
                "PredictedLabelColumnName and ScoreColumnName are both 'Out'; expected different names.",
                "Pooling is 77; expected one of Last, Mean, Max, MeanMax, Attention, First.",
                "FrameWidth is -1; expected 0 (from the column) or more.",
                "ScoringBatchSize is 0; expected at least 1.",
                "MambaConfig: DModel is 0; expected ≥ 1. DConv is 9; expected 2 to 8.",
                "MambaTrainingOptions: 2 values are out of range:",
                "  Epochs is 0; expected at least 1.",
                "  Dropout is 1; expected 0 or more and less than 1. (Parameter 'options')",
            ],
            error.Message.Split(Environment.NewLine));
    }

    [Fact]
    public void Settings_that_are_null_are_violations_too()
    {
        var options = new MambaRegressionTrainer.Options { Model = null!, Training = null!, SequenceColumnName = "Label" };

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new MLContext().Regression.Trainers.Mamba(options));

        Assert.Contains("LabelColumnName and SequenceColumnName are both 'Label'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Model is null", error.Message, StringComparison.Ordinal);
        Assert.Contains("Training is null", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trainer_keeps_the_options_as_they_were_and_leaves_the_caller_s_alone()
    {
        var ml = new MLContext(seed: 1);
        var options = PipelineModels.Options<MambaMulticlassTrainer.Options>();
        var before = JsonSerializer.Serialize(options);
        var trainer = ml.MulticlassClassification.Trainers.Mamba(options);
        var data = PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(30));

        using var first = trainer.Fit(data);
        Assert.Equal(before, JsonSerializer.Serialize(options));
        options.Training.Epochs = 4;
        options.Model = options.Model with { NLayer = 2 };
        options.ScoreColumnName = "Other";
        options.SequenceColumnName = "Nowhere";
        using var second = trainer.Fit(data);

        Assert.Equal((1, 1), (second.History.Epochs.Count, second.Model.NLayer));
        RowValues.AssertSame(RowValues.ReadAll(first.Transform(data)), RowValues.ReadAll(second.Transform(data)));
    }

    [Fact]
    public void The_short_overloads_set_the_options_that_they_name()
    {
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable(PipelineData.Rows(30).Select(r => new { Dna = r.Sequence, r.Flag, r.Value, Kind = r.Class }));
        var keys = ml.Transforms.Conversion.MapValueToKey("Kind");
        var data = keys.Fit(rows).Transform(rows);

        using var multiclass = ml.MulticlassClassification.Trainers.Mamba("Kind", "Dna", SequenceTokenizer.Dna, epochs: 1).Fit(data);
        using var binary = ml.BinaryClassification.Trainers.Mamba("Flag", "Dna", SequenceTokenizer.Dna, epochs: 1).Fit(data);
        using var regression = ml.Regression.Trainers.Mamba("Value", "Dna", epochs: 1).Fit(data);

        Assert.Equal((1, 5), (multiclass.History.Epochs.Count, multiclass.Model.VocabSize));
        Assert.Equal((1, 5), (binary.History.Epochs.Count, binary.Model.VocabSize));
        Assert.Equal((1, 256), (regression.History.Epochs.Count, regression.Model.VocabSize));
    }

    [Fact]
    public void The_short_overloads_train_as_long_as_the_options_do_by_default() =>
        Assert.Equal(MambaTrainerOptions.DefaultEpochs, new MambaTrainingOptions().Epochs);

    [Fact]
    public void Options_survive_JSON()
    {
        var options = PipelineModels.Options<MambaBinaryTrainer.Options>(o =>
        {
            o.Pooling = MambaPooling.Attention;
            o.Model = o.Model with { MaxPositions = 30, Bidirectional = false };
            o.Training.ClassWeights = [1, 2];
            o.Training.LearningRate = 1e-3;
            o.ProbabilityColumnName = "P";
            o.Progress = _ => { };
            o.CancellationToken = new CancellationTokenSource().Token;
        });

        var text = JsonSerializer.Serialize(options);
        var read = JsonSerializer.Deserialize<MambaBinaryTrainer.Options>(text)!;

        Assert.Equal(text, JsonSerializer.Serialize(read));
        Assert.Equal(options.Model, read.Model);
        Assert.Equal((MambaPooling.Attention, "P", 1e-3), (read.Pooling, read.ProbabilityColumnName, read.Training.LearningRate));
        Assert.Null(read.Progress);
        Assert.Null(read.Tokenizer);
    }
}
