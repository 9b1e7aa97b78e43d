using System.Diagnostics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A data set with labels finer than one per sequence, or with recordings, and the settings that its figures are made with.</summary>
internal abstract class FineTask
{
    public static FineTask[] All { get; } =
    [
        new GeneTask(), new PartOfSpeechTask(), new DigitsTask(leaveOneSpeakerOut: true), new DigitsTask(leaveOneSpeakerOut: false),
        new DigitMixesTask(), new DigitStreamsTask(), new BirdsongTask(),
    ];

    public abstract string Name { get; }

    /// <summary>Fits, and judges with the part test or, for choosing settings, with rows of the training part.</summary>
    /// <returns>The metrics, and the seconds that Fit took.</returns>
    public abstract FineResult Measure(FineRun run);

    /// <param name="judgedBy">The column of labels that the metrics compare with, where it is not the one that is learnt.</param>
    /// <param name="more">Further metrics of the scored rows.</param>
    protected static FineResult Tag(FineRun run, MambaTaggingTrainer.Options options, IEstimator<ITransformer>? features, IDataView train, IDataView judge, string? background = null, string? judgedBy = null,
        Func<IDataView, (string, double)[]>? more = null)
    {
        run.Complete(options);
        var ml = run.Context;
        return Judge(ml.SequenceTagging().Trainers.Mamba(options), features, train, judge, view =>
        {
            IDataView scored = more is null ? view : ml.Data.Cache(view); // each look would score again
            SequenceTaggingMetrics metrics = ml.SequenceTagging().Evaluate(scored, judgedBy ?? options.LabelColumnName, backgroundLabel: background);
            Console.WriteLine(metrics);
            return
            [
                ("accuracy", 100 * metrics.Accuracy), ("macro F1", 100 * metrics.MacroF1), ("segment F1", 100 * metrics.SegmentF1),
                ("segment error rate", metrics.SegmentErrorRate), .. more?.Invoke(scored) ?? [],
            ];
        });
    }

    protected static FineResult Judge(
        IEstimator<ITransformer> trainer, IEstimator<ITransformer>? features, IDataView train, IDataView judge, Func<IDataView, (string, double)[]> metrics)
    {
        long start = Stopwatch.GetTimestamp();
        ITransformer? before = features?.Fit(train);
        ITransformer model = trainer.Fit(before?.Transform(train) ?? train);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using ((IDisposable)model)
            return new FineResult(metrics(model.Transform(before?.Transform(judge) ?? judge)), seconds);
    }
}

/// <param name="Metrics">By name; percentages, unless the name says error rate.</param>
/// <param name="TrainSeconds">The time of Fit.</param>
internal sealed record FineResult((string Name, double Value)[] Metrics, double TrainSeconds);

/// <summary>One run of a <see cref="FineTask"/>.</summary>
internal sealed record FineRun(MLContext Context, DirectoryInfo Data, string Part, string[] Overrides, Action<MambaTrainingProgress> Progress)
{
    public bool JudgesByTest => Part == "test";

    public string PathOf(params string[] parts) => Path.Combine([Data.FullName, .. parts]);

    /// <summary>The fields of a file of tab-separated columns, without its header.</summary>
    public IEnumerable<string[]> Rows(params string[] parts) => File.ReadLines(PathOf(parts)).Skip(1).Select(line => line.Split('\t'));

    /// <summary>All rows train and the last weights are kept; overrides beat the task's settings.</summary>
    public void Complete(MambaSequenceOptions options)
    {
        options.Training.ValidationFraction = 0;
        options.Progress = Progress;
        foreach (string setting in Overrides)
            SettingOverride.Apply(options, setting);
    }
}
