using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// One of ten spoken digits. Either by the official split, where the part valid holds out recordings 5 to 9 of each speaker and digit; or
/// leaving one speaker out, six times, where the part valid leaves two out and judges by the second.
/// </summary>
internal sealed class DigitsTask(bool leaveOneSpeakerOut) : FineTask
{
    public override string Name => leaveOneSpeakerOut ? "audio-digits-loso" : "audio-digits";

    public override FineResult Measure(FineRun run)
    {
        Entry[] official = Load(run, "train");
        Entry[] all = run.JudgesByTest || leaveOneSpeakerOut ? [.. official, .. Load(run, "test")] : official;
        Recordings recordings = new Recordings(run.Context, run.PathOf("audio-digits"), 8000).Read(all.Select(e => e.File));
        if (!leaveOneSpeakerOut)
        {
            int held = run.JudgesByTest ? 5 : 10;
            return One(run, recordings, [.. all.Where(e => e.Index >= held)], [.. all.Where(e => e.Index < held)]);
        }

        string[] speakers = [.. all.Select(e => e.Speaker).Distinct().Order(StringComparer.Ordinal)];
        List<FineResult> results = [];
        foreach (var (speaker, i) in speakers.Select((s, i) => (s, i)))
        {
            string judge = run.JudgesByTest ? speaker : speakers[(i + 1) % speakers.Length];
            results.Add(One(run, recordings, [.. all.Where(e => e.Speaker != speaker && e.Speaker != judge)], [.. all.Where(e => e.Speaker == judge)]));
            Console.WriteLine(FormattableString.Invariant($"  {judge}: {results[^1].Metrics[0].Value:0.00}"));
        }
        return new FineResult([("accuracy", results.Average(r => r.Metrics[0].Value))], results.Sum(r => r.TrainSeconds));
    }

    private static FineResult One(FineRun run, Recordings recordings, Entry[] train, Entry[] judge)
    {
        var ml = run.Context;
        var options = new MambaMulticlassTrainer.Options
        {
            Model = new MambaConfig { DModel = 64, NLayer = 2 },
            Pooling = MambaPooling.MeanMax,
            Training = new MambaTrainingOptions
            {
                Epochs = 20, BatchSize = 32, LearningRate = 2e-3, Dropout = 0.2, LabelSmoothing = 0.1,
                TimeMasks = 1, TimeMaskWidth = 8, FrequencyMasks = 2, FrequencyMaskWidth = 8, FrameStretch = 0.2, FrameGain = 0.5, FrameNoise = 0.1,
            },
        };
        run.Complete(options);
        var trainer = ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.MulticlassClassification.Trainers.Mamba(options));
        return Judge(trainer, recordings.Frames(new LogMelFramesEstimator.Options { MelBands = 20, Floor = 1e-3, Deltas = 1 }), View(ml, recordings, train), View(ml, recordings, judge),
            scored => [("accuracy", 100 * ml.MulticlassClassification.Evaluate(scored).MicroAccuracy)]);
    }

    private static IDataView View(MLContext ml, Recordings recordings, Entry[] entries) =>
        ml.Data.LoadFromEnumerable(entries.Select(e => new Clip { Samples = ToPeakOfOne(recordings[e.File]), Label = e.Label }));

    // Speakers differ in loudness more than digits do.
    private static float[] ToPeakOfOne(float[] samples)
    {
        float peak = samples.Max(MathF.Abs);
        return peak > 0 ? [.. samples.Select(sample => sample / peak)] : samples;
    }

    private static Entry[] Load(FineRun run, string part) => [.. run.Rows("audio-digits", part + ".tsv")
        .Select(f => new Entry(f[0], f[1], f[2], int.Parse(f[3], System.Globalization.CultureInfo.InvariantCulture)))];

    private sealed record Entry(string File, string Label, string Speaker, int Index);
}
