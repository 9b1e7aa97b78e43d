using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>Small tasks that a small model learns in seconds, from a seeded generator.</summary>
internal static class ToyTasks
{
    public static MambaConfig SmallModel { get; } = new() { DModel = 8, NLayer = 1, DState = 4 };

    /// <summary>DNA of 4 to 16 letters; class 1 has more G and C than A and T.</summary>
    public static SequenceSet GcRich(int rows, int seed)
    {
        var random = new Random(seed);
        var set = SequenceSet.OfIds();
        for (var row = 0; row < rows; row++)
        {
            var rich = random.Next(2) == 1;
            var ids = new int[random.Next(4, 17)];
            foreach (ref var id in ids.AsSpan())
            {
                id = random.NextDouble() < 0.85 == rich ? random.Next(1, 3) : 3 * random.Next(2);
            }
            set.AddIds(ids, rich ? 1 : 0);
        }
        return set;
    }

    /// <summary>Frames of two numbers; the target is 1000 plus 100 times the mean of the first.</summary>
    public static SequenceSet FrameMeans(int rows, int seed)
    {
        var random = new Random(seed);
        var set = SequenceSet.OfFrames(2);
        for (var row = 0; row < rows; row++)
        {
            var level = (random.NextSingle() * 2) - 1;
            var frames = new float[2 * random.Next(3, 9)];
            for (var i = 0; i < frames.Length; i++)
            {
                frames[i] = i % 2 == 0 ? level + (0.1f * (random.NextSingle() - 0.5f)) : random.NextSingle();
            }
            set.AddFrames(frames, 1000 + (100 * level));
        }
        return set;
    }

    public static MambaTrainingOptions FastOptions(int epochs = 3) => new()
    {
        Epochs = epochs,
        BatchSize = 16,
        LearningRate = 1e-2,
        Dropout = 0.1,
        ValidationFraction = 0.2,
    };

    public static TrainingRequest Request(MambaTrainingOptions? options = null) => new()
    {
        Config = SmallModel,
        Pooling = MambaPooling.Mean,
        Objective = TrainingObjective.Binary,
        Tokenizer = SequenceTokenizer.Dna,
        Train = GcRich(160, seed: 1),
        Options = options ?? FastOptions(),
        Seed = 5,
    };

    public static PaddedBatch AllOf(SequenceSet set) => PaddedBatch.Gather(set, Enumerable.Range(0, set.Count).ToArray());
}
