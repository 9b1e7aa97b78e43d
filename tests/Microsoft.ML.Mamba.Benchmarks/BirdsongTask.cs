namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Which syllable a finch sings now, every 10 ms. The part valid holds out every third recording.</summary>
internal sealed class BirdsongTask : FineTask
{
    public override string Name => "audio-birdsong";

    public override FineResult Measure(FineRun run)
    {
        var ml = run.Context;
        string[] training = Files(run, "train");
        string[] train = run.JudgesByTest ? training : [.. training.Where((_, i) => i % 3 != 2)];
        string[] judge = run.JudgesByTest ? Files(run, "test") : [.. training.Where((_, i) => i % 3 == 2)];
        Recordings recordings = new Recordings(ml, run.PathOf(Name), 16_000).Read(train.Concat(judge));
        ILookup<string, string> events = new[] { "train", "test" }.SelectMany(part => run.Rows(Name, part + "_events.tsv"))
            .ToLookup(f => f[0], f => $"{f[1]} {f[2]} {f[3]}");
        IDataView View(string[] files) => ml.Data.LoadFromEnumerable(files.Select(file => new Clip { Samples = recordings[file], Label = string.Join(';', events[file]) }));
        var options = new MambaTaggingTrainer.Options
        {
            Unit = MambaTagUnit.Event,
            BackgroundLabel = "silence",
            Model = new MambaConfig { DModel = 96, NLayer = 3 },
            Training = new MambaTrainingOptions { Epochs = 60, BatchSize = 4, LearningRate = 2e-3, Dropout = 0.2, MaxLength = 256, TimeMasks = 1, TimeMaskWidth = 6, FrequencyMasks = 1, FrequencyMaskWidth = 6, FrameGain = 0.5 },
        };
        return Tag(run, options, recordings.Frames(new LogMelFramesEstimator.Options { WindowMilliseconds = 16, Deltas = 1 }), View(train), View(judge));
    }

    private string[] Files(FineRun run, string part) => [.. run.Rows(Name, part + "_files.tsv").Select(f => f[0])];
}
