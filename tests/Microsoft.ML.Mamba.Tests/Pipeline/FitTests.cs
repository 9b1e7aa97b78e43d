using System.Collections.Concurrent;
using System.Reflection;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class FitTests
{
    [Theory]
    [InlineData(PipelineTask.Multiclass)]
    [InlineData(PipelineTask.Binary)]
    [InlineData(PipelineTask.Regression)]
    public void Fitting_twice_with_the_context_s_seed_gives_the_same_bits(PipelineTask task)
    {
        var ml = new MLContext(seed: 5);
        var trainer = PipelineModels.Trainer(ml, task, o => o.Training.Dropout = 0.2);

        var first = Scores(ml, task, trainer);
        var second = Scores(ml, task, trainer);
        var elsewhere = Scores(new MLContext(seed: 5), task, PipelineModels.Trainer(new MLContext(seed: 5), task, o => o.Training.Dropout = 0.2));

        Assert.Equal(first, second);
        Assert.Equal(first, elsewhere);
    }

    [Fact]
    public void Without_a_seed_every_fit_is_a_draw_of_its_own()
    {
        var ml = new MLContext();
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Regression);

        Assert.NotEqual(Scores(ml, PipelineTask.Regression, trainer), Scores(ml, PipelineTask.Regression, trainer));
    }

    [Fact]
    public void A_seed_of_the_options_beats_that_of_the_context()
    {
        float[] Train(int context, int? options)
        {
            var ml = new MLContext(seed: context);
            return Scores(ml, PipelineTask.Regression, PipelineModels.Trainer(ml, PipelineTask.Regression, o => o.Training.Seed = options));
        }

        Assert.Equal(Train(1, 9), Train(2, 9));
        Assert.NotEqual(Train(1, null), Train(2, null));
    }

    [Fact]
    public void One_trainer_fits_any_number_of_classes_one_after_the_other()
    {
        var ml = new MLContext(seed: 1);
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Multiclass);
        var three = PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(30));
        var source = ml.Data.LoadFromEnumerable(PipelineData.Rows(30));
        var thirty = ml.Transforms.Conversion.MapValueToKey("Label", "Id").Fit(source).Transform(source);

        using var first = (IDisposable)trainer.Fit(three);
        using var second = (IDisposable)trainer.Fit(thirty);
        using var third = (IDisposable)trainer.Fit(three);

        Assert.Equal("Vector<Single, 30>", $"{((ITransformer)second).GetOutputSchema(thirty.Schema)["Score"].Type}");
        RowValues.AssertSame(RowValues.ReadAll(((ITransformer)first).Transform(three)), RowValues.ReadAll(((ITransformer)third).Transform(three)));
    }

    [Fact]
    public void Cross_validation_of_ML_NET_works_for_all_three_tasks()
    {
        var ml = new MLContext(seed: 1);
        var rows = PipelineData.Rows(60);

        var multiclass = ml.MulticlassClassification.CrossValidate(PipelineData.View(ml, PipelineTask.Multiclass, rows), PipelineModels.Trainer(ml, PipelineTask.Multiclass), 3);
        var binary = ml.BinaryClassification.CrossValidate(PipelineData.View(ml, PipelineTask.Binary, rows), PipelineModels.Trainer(ml, PipelineTask.Binary), 3);
        var regression = ml.Regression.CrossValidate(PipelineData.View(ml, PipelineTask.Regression, rows), PipelineModels.Trainer(ml, PipelineTask.Regression), 3);

        Assert.All(multiclass, fold => Assert.True(double.IsFinite(fold.Metrics.LogLoss)));
        Assert.All(binary, fold => Assert.True(double.IsFinite(fold.Metrics.LogLoss)));
        Assert.All(regression, fold => Assert.True(double.IsFinite(fold.Metrics.MeanSquaredError)));
    }

    [Fact]
    public void Rows_with_a_missing_label_are_skipped_with_one_counted_warning()
    {
        var rows = PipelineData.Rows(40);
        var known = rows.ToList();
        var labelled = new MLContext(seed: 1);
        for (var i = 0; i < 12; i++)
            rows.Insert(3 * i, new PipelineData.Row { Sequence = "AAAA", Class = "never seen", Value = float.NaN });

        foreach (var task in new[] { PipelineTask.Multiclass, PipelineTask.Regression })
        {
            var ml = new MLContext(seed: 1);
            var log = LogOf(ml);
            using var model = (IDisposable)PipelineModels.Trainer(ml, task).Fit(PipelineData.View(ml, task, rows));
            using var expected = (IDisposable)PipelineModels.Trainer(labelled, task).Fit(PipelineData.View(labelled, task, known));

            var warning = Assert.Single(log, line => line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning);
            Assert.Equal("Skipped 12 of 52 rows of the training data, whose label in column 'Label' is missing.", warning.RawMessage);
            var unlabelled = ml.Data.LoadFromEnumerable(known);
            RowValues.AssertSame(RowValues.ReadAll(((ITransformer)expected).Transform(unlabelled)), RowValues.ReadAll(((ITransformer)model).Transform(unlabelled)));
        }
    }

    [Fact]
    public void Sequences_that_are_cut_are_counted_in_one_warning()
    {
        var ml = new MLContext(seed: 1);
        var log = LogOf(ml);
        var rows = PipelineData.Rows(30);
        rows[3].Sequence = new string('A', 100);
        rows[9].Sequence = new string('C', 101);
        using var model = (IDisposable)PipelineModels.Trainer(ml, PipelineTask.Regression, o => o.Training.MaxLength = 50).Fit(PipelineData.View(ml, PipelineTask.Regression, rows));

        RowValues.ReadAll(((ITransformer)model).Transform(ml.Data.LoadFromEnumerable(rows)));

        var warnings = log.Where(line => line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning).ToArray();
        Assert.Equal(2, warnings.Length);
        Assert.All(warnings, w => Assert.StartsWith("2 of 30 sequences were longer than 50 positions and were cut (the start was kept).", w.RawMessage, StringComparison.Ordinal));
        Assert.Equal(["Training", "Scoring"], warnings.Select(w => w.Source.Split("; ").Last()));
    }

    [Fact]
    public void Every_epoch_is_an_info_line_a_progress_record_and_a_part_of_the_history()
    {
        var ml = new MLContext(seed: 1);
        var log = LogOf(ml);
        var progress = new ConcurrentQueue<MambaTrainingProgress>();
        var trainer = ml.MulticlassClassification.Trainers.Mamba(PipelineModels.Options<MambaMulticlassTrainer.Options>(o =>
        {
            o.Training.Epochs = 3;
            o.Progress = progress.Enqueue;
        }));

        using var model = trainer.Fit(PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(60)));

        var epochs = progress.Where(p => p.EpochCompleted).ToArray();
        Assert.Equal([1, 2, 3], epochs.Select(p => p.Epoch));
        Assert.Equal(epochs, model.History.Epochs);
        var lines = log.Where(l => l.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Info && l.Source.Contains(nameof(MambaMulticlassTrainer), StringComparison.Ordinal)).Select(l => l.RawMessage).ToArray();
        for (var epoch = 1; epoch <= 3; epoch++)
            Assert.Contains(lines, l => l.Contains($"poch {epoch}", StringComparison.Ordinal));
        Assert.Equal(5, model.Model.VocabSize);
    }

    [Fact]
    public void The_validation_set_takes_the_place_of_the_held_out_rows()
    {
        var ml = new MLContext(seed: 1);
        var training = PipelineData.View(ml, PipelineTask.Binary, PipelineData.Rows(40));
        var validation = PipelineData.View(ml, PipelineTask.Binary, PipelineData.Rows(23, seed: 9));
        using var byOption = ml.BinaryClassification.Trainers.Mamba(PipelineModels.Options<MambaBinaryTrainer.Options>(o => o.ValidationSet = validation)).Fit(training);
        using var byArgument = ml.BinaryClassification.Trainers.Mamba(PipelineModels.Options<MambaBinaryTrainer.Options>()).Fit(training, validation);
        using var heldOut = ml.BinaryClassification.Trainers.Mamba(PipelineModels.Options<MambaBinaryTrainer.Options>()).Fit(training);

        Assert.Equal((40, 23), (byOption.History.TrainingSequences, byOption.History.ValidationSequences));
        Assert.Equal((40, 23), (byArgument.History.TrainingSequences, byArgument.History.ValidationSequences));
        Assert.Equal((36, 4), (heldOut.History.TrainingSequences, heldOut.History.ValidationSequences));
    }

    [Fact]
    public void The_token_of_the_options_ends_the_training()
    {
        var ml = new MLContext(seed: 1);
        using var source = new CancellationTokenSource();
        var steps = 0L;
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Regression, o =>
        {
            o.Training.Epochs = 1000;
            o.CancellationToken = source.Token;
            o.Progress = p =>
            {
                steps = p.Step;
                source.Cancel();
            };
        });

        Assert.Throws<OperationCanceledException>(() => trainer.Fit(PipelineData.View(ml, PipelineTask.Regression, PipelineData.Rows(40))));
        Assert.InRange(steps, 1, 3);
    }

    [Fact]
    public void Cancelling_the_context_ends_the_training_but_never_the_scoring()
    {
        var ml = new MLContext(seed: 1);
        var data = PipelineData.View(ml, PipelineTask.Regression, PipelineData.Rows(40));
        using var model = (IDisposable)PipelineModels.Trainer(ml, PipelineTask.Regression).Fit(data);
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Regression, o =>
        {
            o.Training.Epochs = 1000;
            o.Progress = _ => Cancel(ml);
        });

        Assert.Throws<OperationCanceledException>(() => trainer.Fit(data));
        Assert.Equal(40, RowValues.ReadAll(((ITransformer)model).Transform(data)).Count);
    }

    // Public only as MLContextExtensions.CancelExecution of Microsoft.ML.Experimental, which calls this.
    private static void Cancel(MLContext ml) =>
        typeof(MLContext).GetMethod("CancelExecution", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)!.Invoke(ml, null);

    private static ConcurrentQueue<LoggingEventArgs> LogOf(MLContext ml)
    {
        var log = new ConcurrentQueue<LoggingEventArgs>();
        ml.Log += (_, line) => log.Enqueue(line);
        return log;
    }

    private static float[] Scores(MLContext ml, PipelineTask task, IEstimator<ITransformer> trainer)
    {
        var data = PipelineData.View(ml, task, PipelineData.Rows(40));
        using var model = (IDisposable)trainer.Fit(data);
        var view = ((ITransformer)model).Transform(data);
        return [.. RowValues.ReadAll(view.GetRowCursor([view.Schema["Score"]])).SelectMany(r => r.Values[view.Schema["Score"].Index] is float[] vector ? vector : [(float)r.Values[view.Schema["Score"].Index]!])];
    }
}
