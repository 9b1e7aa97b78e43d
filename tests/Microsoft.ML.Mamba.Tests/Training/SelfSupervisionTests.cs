using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class SelfSupervisionTests
{
    public static TheoryData<bool, bool> Kinds => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_encoder_learns_to_predict_what_is_predictable(bool frames, bool bidirectional)
    {
        using var model = TrainingLoop.Run(Request(frames, bidirectional, epochs: 30));
        var epochs = model.Description.History.Epochs;

        Assert.All(epochs, e => Assert.Equal(frames ? Math.Sqrt(e.ValidationLoss!.Value) : Math.Exp(e.ValidationLoss!.Value), e.ValidationMetric!.Value, 9));
        var (first, best) = (epochs[0].ValidationLoss!.Value, epochs.Min(e => e.ValidationLoss!.Value));
        Assert.True(best < 0.7 * first, $"loss fell from {first} to {best} only");
        Assert.Equal(model.Description.History.BestEpoch, epochs.MinBy(e => e.ValidationLoss)!.Epoch);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Equal_seeds_give_equal_bits(bool frames, bool bidirectional)
    {
        using var first = TrainingLoop.Run(Request(frames, bidirectional, epochs: 2));
        using var second = TrainingLoop.Run(Request(frames, bidirectional, epochs: 2));

        Assert.Equal(SavedModel.Of(first).Weights, SavedModel.Of(second).Weights);
        Assert.DoesNotContain("pretraining", System.Text.Encoding.Latin1.GetString(SavedModel.Of(first).Weights), StringComparison.Ordinal);
    }

    [Fact]
    public void Causal_encoders_predict_each_next_position_within_its_sequence()
    {
        var batch = Batch([3, 1, 0, 2]);

        var positions = PredictedPositions.Next(batch);

        Assert.Equal([0, 1, 9], positions.States);
        Assert.Equal([1, 2, 10], positions.Targets);
        Assert.Null(positions.Hidden);
    }

    [Fact]
    public void Bidirectional_encoders_predict_15_percent_of_each_sequence_most_of_it_hidden()
    {
        var batch = Batch([1000, 100, 3, 0, 1]);
        var positions = PredictedPositions.Masked(batch, new Random(1));

        Assert.Equal([150, 15, 1, 0, 1], Enumerable.Range(0, 5).Select(row => positions.Targets.Count(t => t / batch.Length == row)));
        Assert.Equal(positions.States, positions.Targets);
        Assert.Equal(positions.Count, positions.Targets.Distinct().Count());
        Assert.All(positions.Targets, t => Assert.True(t % batch.Length < batch.Lengths[t / batch.Length]));
        var hidden = positions.Hidden!.Count(h => h);
        Assert.InRange(hidden, 0.7 * positions.Count, 0.9 * positions.Count);
        Assert.InRange(positions.Shown!.Where((shown, place) => shown != place).Count(), 1, 0.2 * positions.Count);
        Assert.All(positions.Shown!, shown => Assert.True(shown % batch.Length < batch.Lengths[shown / batch.Length] || positions.Shown![shown] == shown));
    }

    [Fact]
    public void Sequences_without_anything_to_predict_are_refused_and_skipped()
    {
        var single = SequenceSet.OfIds();
        single.AddIds([1], 0);
        single.AddIds([2], 0);
        var request = Request(frames: false, bidirectional: false, epochs: 1) with { Train = single };
        Assert.StartsWith("None of the 2 training sequences has a position that could be predicted", Assert.Throws<MambaTrainingException>(() => TrainingLoop.Run(request with
        {
            Options = new MambaTrainingOptions { ValidationFraction = 0 },
        })).Message, StringComparison.Ordinal);

        single.AddIds([1, 2, 3, 4], 0);
        using var model = TrainingLoop.Run(request with { Options = new MambaTrainingOptions { ValidationFraction = 0, Epochs = 2, BatchSize = 1 } });
        Assert.Equal(2, model.Description.History.Epochs.Count);
    }

    [Fact]
    public void Numbers_that_are_not_finite_keep_the_best_weights()
    {
        var request = Request(frames: false, bidirectional: true, epochs: 5);
        var options = request.Options.Clone();
        (options.LearningRate, options.GradientClip) = (1e30, 0);
        using var model = TrainingLoop.Run(request with { Options = options });

        Assert.StartsWith("Training broke down:", model.Description.History.StoppedBecause, StringComparison.Ordinal);
        Assert.All(model.Predict(ToyTasks.AllOf(ToyTasks.GcRich(4, 1))), value => Assert.True(float.IsFinite(value)));
    }

    internal static TrainingRequest Request(bool frames, bool bidirectional, int epochs, EmbeddingObjective? objective = null)
    {
        var options = ToyTasks.FastOptions(epochs);
        options.Dropout = 0;
        return new TrainingRequest
        {
            Config = ToyTasks.SmallModel with { Bidirectional = bidirectional, DModel = 16 },
            Pooling = MambaPooling.Mean,
            Objective = objective ?? new EmbeddingObjective(layer: null, normalize: false, perPosition: false),
            Tokenizer = frames ? null : SequenceTokenizer.Dna,
            Train = frames ? Levels(120) : Periodic(120),
            Options = options,
            Seed = 5,
        };
    }

    /// <summary>DNA that repeats three letters in a fixed order from a random start: each letter follows from its neighbours.</summary>
    private static SequenceSet Periodic(int rows)
    {
        var random = new Random(2);
        var set = SequenceSet.OfIds();
        for (var row = 0; row < rows; row++)
        {
            var start = random.Next(3);
            set.AddIds([.. Enumerable.Range(start, random.Next(8, 20)).Select(t => t % 3)], 0);
        }
        return set;
    }

    /// <summary>Frames around 2 and around 0 that are nearly the same throughout a sequence.</summary>
    private static SequenceSet Levels(int rows)
    {
        var random = new Random(2);
        var set = SequenceSet.OfFrames(2);
        for (var row = 0; row < rows; row++)
        {
            var level = (float)(random.NextDouble() - 0.5);
            set.AddFrames([.. Enumerable.Range(0, random.Next(8, 20)).SelectMany(_ => new[] { 2 + level + (0.01f * random.NextSingle()), -3 * level })], 0);
        }
        return set;
    }

    private static PaddedBatch Batch(int[] lengths)
    {
        var set = SequenceSet.OfIds();
        foreach (var length in lengths)
        {
            set.AddIds(new int[length], 0);
        }
        return ToyTasks.AllOf(set);
    }
}
