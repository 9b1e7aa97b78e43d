using System.Globalization;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Which digit is spoken now, in streams of five with silence between them. The part valid holds out every tenth stream.</summary>
internal sealed class DigitStreamsTask : FineTask
{
    private const int Rate = 8000;
    private const int SamplesAfterLast = 800;

    public override string Name => "audio-digits-streams";

    public override FineResult Measure(FineRun run)
    {
        var ml = run.Context;
        string[][][] training = Load(run, "streams_train.tsv");
        string[][][] train = run.JudgesByTest ? training : [.. training.Where((_, i) => i % 10 != 9)];
        string[][][] judge = run.JudgesByTest ? Load(run, "streams_test.tsv") : [.. training.Where((_, i) => i % 10 == 9)];
        Recordings recordings = new Recordings(ml, run.PathOf("audio-digits"), Rate).Read(train.Concat(judge).SelectMany(s => s).Select(f => f[1]));
        var options = new MambaTaggingTrainer.Options
        {
            Unit = MambaTagUnit.Event,
            BackgroundLabel = "silence",
            Model = new MambaConfig { DModel = 96, NLayer = 3 },
            Training = new MambaTrainingOptions { Epochs = 30, BatchSize = 16, LearningRate = 2e-3, Dropout = 0.2, TimeMasks = 2, TimeMaskWidth = 8, FrequencyMasks = 1, FrequencyMaskWidth = 6, FrameGain = 0.5 },
        };
        return Tag(run, options, recordings.Frames(), View(ml, recordings, train), View(ml, recordings, judge));
    }

    private static string[][][] Load(FineRun run, string file) => [.. run.Rows("audio-digits", file).GroupBy(f => f[0]).Select(g => g.ToArray())];

    private static IDataView View(MLContext ml, Recordings recordings, string[][][] streams) => ml.Data.LoadFromEnumerable(streams.Select(stream =>
    {
        var samples = new float[Number(stream[^1][3]) + SamplesAfterLast];
        foreach (string[] f in stream)
            recordings[f[1]].CopyTo(samples, Number(f[2]));
        return new Clip
        {
            Samples = samples,
            Label = string.Join(';', stream.Select(f => FormattableString.Invariant($"{(double)Number(f[2]) / Rate} {(double)Number(f[3]) / Rate} {f[4]}"))),
        };
    }));

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
