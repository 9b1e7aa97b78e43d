using Microsoft.Extensions.Time.Testing;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class TrainingLoopTests
{
    [Fact]
    public void A_small_model_learns_a_small_task()
    {
        var options = ToyTasks.FastOptions(epochs: 8);
        using var model = TrainingLoop.Run(ToyTasks.Request(options));
        var test = ToyTasks.GcRich(100, seed: 99);

        var scores = model.Predict(ToyTasks.AllOf(test));

        var correct = Enumerable.Range(0, test.Count).Count(row => scores[row] > 0 == test.GetTarget(row) > 0);
        Assert.True(correct >= 90, $"{correct} of 100 are right; expected at least 90");
    }

    [Fact]
    public void A_small_model_learns_numbers_from_frames()
    {
        using var model = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 12)) with
        {
            Objective = TrainingObjective.Regression,
            Tokenizer = null,
            Train = ToyTasks.FrameMeans(160, seed: 1),
        });
        var test = ToyTasks.FrameMeans(60, seed: 99);

        var scores = model.Predict(ToyTasks.AllOf(test));

        var error = Math.Sqrt(Enumerable.Range(0, test.Count).Average(row => Math.Pow(scores[row] - test.GetTarget(row), 2)));
        Assert.True(error <= 25, $"the root mean squared error is {error}; expected at most 25 of a standard deviation of 58");
        Assert.Equal("RMSE", model.Description.History.Epochs[0].MetricName);
        Assert.Equal((2, 0), (model.Description.Config.FrameWidth, model.Description.Config.VocabSize));
    }

    [Fact]
    public void Equal_seeds_give_equal_bits_and_another_seed_others()
    {
        var options = ToyTasks.FastOptions(epochs: 2);
        options.ReverseComplementAugmentation = options.ReverseComplementAveraging = true;
        options.MutationRate = 0.05;
        byte[] Train(int seed)
        {
            using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Seed = seed });
            return SavedModel.Of(model).Weights;
        }

        var first = Train(5);
        using (torch.NewDisposeScope())
        {
            // Whatever happens to torch's own generator in between has no influence.
            torch.manual_seed(123);
            torch.rand(10);
        }
        Assert.Equal(first, Train(5));
        Assert.NotEqual(first, Train(6));
    }

    [Fact]
    public void The_seed_of_the_options_goes_before_that_of_the_context()
    {
        byte[] Train(int? own, int context)
        {
            var options = ToyTasks.FastOptions(epochs: 1);
            options.Seed = own;
            using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Seed = context });
            return SavedModel.Of(model).Weights;
        }

        Assert.Equal(Train(7, 1), Train(7, 2));
        Assert.Equal(Train(7, 1), Train(null, 7));
    }

    [Fact]
    public void Early_stopping_keeps_the_weights_of_the_best_epoch()
    {
        // A rate that is far too high makes some epochs worse than others.
        var options = ToyTasks.FastOptions(epochs: 30);
        options.LearningRate = 0.1;
        options.EarlyStoppingPatience = 3;
        options.EarlyStoppingMetric = MambaEarlyStoppingMetric.Loss;
        var validation = ToyTasks.GcRich(80, seed: 77);
        using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Validation = validation });
        var history = model.Description.History;

        var best = history.Epochs.MinBy(e => e.ValidationLoss!.Value)!;
        Assert.Equal(best.Epoch, history.BestEpoch);
        Assert.Equal(best.Epoch + 3, history.Epochs.Count);
        Assert.StartsWith("No better validation result in 3 epochs", history.StoppedBecause, StringComparison.Ordinal);
        Assert.Equal(best.Epoch, history.Epochs.Last(e => e.IsBest).Epoch);
        var batch = ToyTasks.AllOf(validation);
        var loss = ((TargetObjective)model.Description.Objective).Measure(model.Predict(batch), batch.Targets).Loss / validation.Count;
        Assert.Equal(best.ValidationLoss!.Value, loss, 5);
    }

    [Fact]
    public void Without_restoring_the_weights_of_the_last_epoch_stay()
    {
        var options = ToyTasks.FastOptions(epochs: 4);
        options.RestoreBestWeights = false;
        options.LearningRate = 0.1;
        var validation = ToyTasks.GcRich(80, seed: 77);
        using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Validation = validation });

        var batch = ToyTasks.AllOf(validation);
        var loss = ((TargetObjective)model.Description.Objective).Measure(model.Predict(batch), batch.Targets).Loss / validation.Count;
        Assert.Equal(4, model.Description.History.BestEpoch);
        Assert.Equal(model.Description.History.Epochs[^1].ValidationLoss!.Value, loss, 5);
    }

    [Fact]
    public void A_breakdown_keeps_the_best_finite_weights_and_says_where_it_happened()
    {
        var warnings = new List<string>();
        var options = ToyTasks.FastOptions();
        options.LearningRate = 1e30;
        options.WarmupRatio = 0;
        using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Warning = warnings.Add });
        var history = model.Description.History;

        Assert.Equal((0, 0), (history.BestEpoch, history.Epochs.Count));
        Assert.Matches(@"^Training broke down: the (loss|gradient) became \S+ at step \d+ \(epoch 1\)\.$", history.StoppedBecause);
        Assert.Contains(history.StoppedBecause!, Assert.Single(warnings));
        Assert.Contains("The model keeps weights from within epoch 1.", warnings[0]);
        Assert.All(model.Predict(ToyTasks.AllOf(ToyTasks.GcRich(20, seed: 3))), score => Assert.True(float.IsFinite(score)));
    }

    [Fact]
    public void A_breakdown_after_the_last_step_is_noticed_without_validation_rows()
    {
        var options = ToyTasks.FastOptions();
        options.ValidationFraction = 0;
        options.LearningRate = 1e30;
        options.WarmupRatio = 0;
        options.MaxSteps = 1;
        using var model = TrainingLoop.Run(ToyTasks.Request(options));

        Assert.Matches(@"in the evaluation after step 1 \(epoch 1\)", model.Description.History.StoppedBecause);
        Assert.All(model.Predict(ToyTasks.AllOf(ToyTasks.GcRich(20, seed: 3))), score => Assert.True(float.IsFinite(score)));
    }

    [Fact]
    public void A_breakdown_at_the_first_step_leaves_nothing_to_keep()
    {
        var set = SequenceSet.OfFrames(1);
        for (var row = 0; row < 10; row++)
        {
            set.AddFrames([float.MaxValue, -float.MaxValue, float.MaxValue], row % 2);
        }
        var request = ToyTasks.Request() with { Train = set, Tokenizer = null };

        var error = Assert.Throws<MambaTrainingException>(() => TrainingLoop.Run(request));

        Assert.Matches("^Training broke down: the (loss|gradient) became .+ at step 1 \\(epoch 1\\), before there were any weights worth keeping\\.", error.Message);
    }

    [Fact]
    public void Patience_without_validation_rows_is_warned_of()
    {
        var warnings = new List<string>();
        var options = ToyTasks.FastOptions(epochs: 2);
        (options.ValidationFraction, options.EarlyStoppingPatience) = (0, 1);
        using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Warning = warnings.Add });

        Assert.StartsWith("EarlyStoppingPatience has no effect", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal((2, 2, 0L), (model.Description.History.Epochs.Count, model.Description.History.BestEpoch, model.Description.History.ValidationSequences));
    }

    [Fact]
    public void Progress_comes_once_per_epoch_and_the_history_keeps_it()
    {
        var reports = new List<MambaTrainingProgress>();
        var lines = new List<string>();
        using var model = TrainingLoop.Run(ToyTasks.Request() with { Progress = reports.Add, Info = lines.Add });
        var epochs = reports.Where(r => r.EpochCompleted).ToArray();

        Assert.Equal(model.Description.History.Epochs, epochs);
        Assert.Equal([1, 2, 3], epochs.Select(e => e.Epoch));
        Assert.Equal([8L, 16L, 24L], epochs.Select(e => e.Step));
        Assert.All(epochs, e => Assert.Equal((3, 24L, "accuracy"), (e.Epochs, e.Steps, e.MetricName)));
        Assert.All(epochs, e => Assert.True(e.TrainingLoss > 0 && e.ValidationLoss > 0 && e.ValidationMetric is >= 0 and <= 1));
        Assert.All(epochs, e => Assert.True(e.SequencesPerSecond > 0 && e.TokensPerSecond > 4 * e.SequencesPerSecond && e.LearningRate > 0));
        Assert.Equal(TimeSpan.Zero, epochs[^1].EstimatedTimeLeft);
        Assert.All(reports.Where(r => !r.EpochCompleted), r => Assert.True(r.ValidationLoss is null && r.MetricName is null && !r.IsBest));
        Assert.Equal(4, lines.Count);
        Assert.Matches(@"^Training [\d,]+ parameters on 128 sequences, 32 held out for validation, 8 steps per epoch, on the CPU$", lines[0]);
        Assert.Matches(@"^Epoch 1/3  loss \d\.\d{4}  validation accuracy \d+\.\d %  \(best\)  [\d,]+ sequences/s  \d+ s left$", lines[1]);
        Assert.Equal((128L, 32L), (model.Description.History.TrainingSequences, model.Description.History.ValidationSequences));
    }

    [Fact]
    public void Records_within_an_epoch_come_at_most_twice_a_second()
    {
        var reports = new List<MambaTrainingProgress>();
        var clock = new FakeTimeProvider();
        var steps = 0;
        using var model = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 1)) with
        {
            Progress = reports.Add,
            Clock = clock,
            CheckAlive = () => clock.Advance(TimeSpan.FromSeconds(++steps <= 8 ? 0.2 : 0)),
        });

        // Eight steps of 0.2 seconds: a record when half a second is over since the last, that is after the third and the sixth.
        Assert.Equal([(3L, 0.6, false), (6L, 1.2, false), (8L, 1.6, true)], reports.Select(r => (r.Step, Math.Round(r.Elapsed.TotalSeconds, 9), r.EpochCompleted)));
        Assert.Equal(128 / 1.6, reports[^1].SequencesPerSecond, 6);
        Assert.Equal(TimeSpan.FromSeconds(0.2 * 5), reports[0].EstimatedTimeLeft);
    }

    [Fact]
    public void MaxSteps_ends_training_within_an_epoch_and_the_schedule_with_it()
    {
        var options = ToyTasks.FastOptions(epochs: 50);
        options.MaxSteps = 11;
        options.MinLearningRateRatio = 0.1;
        using var model = TrainingLoop.Run(ToyTasks.Request(options));
        var last = model.Description.History.Epochs[^1];

        Assert.Equal((2, 2, 11L, 11L), (last.Epoch, last.Epochs, last.Step, last.Steps));
        Assert.Equal(0.1 * options.LearningRate, last.LearningRate, 12);
        Assert.Null(model.Description.History.StoppedBecause);
    }

    [Fact]
    public void Class_weights_move_the_answer_towards_the_heavier_class()
    {
        double MeanScore(float[]? weights)
        {
            var options = ToyTasks.FastOptions(epochs: 1);
            options.ClassWeights = weights;
            using var model = TrainingLoop.Run(ToyTasks.Request(options));
            return model.Predict(ToyTasks.AllOf(ToyTasks.GcRich(50, seed: 9))).Average();
        }

        Assert.True(MeanScore([1, 10]) > MeanScore([1, 1]));
        Assert.True(MeanScore([10, 1]) < MeanScore([1, 1]));
    }
}
