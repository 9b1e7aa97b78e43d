using System.Globalization;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Which two digits two speakers say at once. The part valid holds out every tenth mix.</summary>
internal sealed class DigitMixesTask : FineTask
{
    public override string Name => "audio-digits-mixes";

    public override FineResult Measure(FineRun run)
    {
        var ml = run.Context;
        string[][] training = [.. run.Rows("audio-digits", "mixes_train.tsv")];
        string[][] train = run.JudgesByTest ? training : [.. training.Where((_, i) => i % 10 != 9)];
        string[][] judge = run.JudgesByTest ? [.. run.Rows("audio-digits", "mixes_test.tsv")] : [.. training.Where((_, i) => i % 10 == 9)];
        Recordings recordings = new Recordings(ml, run.PathOf("audio-digits"), 8000).Read(train.Concat(judge).SelectMany(f => f[1..3]));
        var options = new MambaMultilabelTrainer.Options
        {
            Separator = '+',
            Model = new MambaConfig { DModel = 96, NLayer = 3 },
            Pooling = MambaPooling.Attention,
            Training = new MambaTrainingOptions
            {
                Epochs = 30, BatchSize = 32, LearningRate = 2e-3, Dropout = 0.2,
                TimeMasks = 1, TimeMaskWidth = 8, FrequencyMasks = 1, FrequencyMaskWidth = 6, FrameGain = 0.5,
            },
        };
        run.Complete(options);
        return Judge(ml.MultilabelClassification().Trainers.Mamba(options), recordings.Frames(), View(ml, recordings, train), View(ml, recordings, judge), scored =>
        {
            MultilabelClassificationMetrics metrics = ml.MultilabelClassification().Evaluate(scored, separator: '+');
            Console.WriteLine(metrics);
            return [("mean average precision", 100 * metrics.MeanAveragePrecision), ("macro F1", 100 * metrics.MacroF1), ("exact match", 100 * metrics.ExactMatch)];
        });
    }

    private static IDataView View(MLContext ml, Recordings recordings, string[][] mixes) => ml.Data.LoadFromEnumerable(mixes.Select(f => new Clip
    {
        Samples = Mix(recordings[f[1]], recordings[f[2]], int.Parse(f[3], CultureInfo.InvariantCulture)),
        Label = f[4],
    }));

    /// <summary>The sum of both, each with a peak of 0.5, the second one later.</summary>
    private static float[] Mix(float[] a, float[] b, int offset)
    {
        var sum = new float[Math.Max(a.Length, b.Length + offset)];
        Add(a, 0);
        Add(b, offset);
        return sum;

        void Add(float[] samples, int start)
        {
            float peak = samples.Max(MathF.Abs);
            for (int i = 0; i < samples.Length; i++)
                sum[start + i] += 0.5f * samples[i] / peak;
        }
    }
}
