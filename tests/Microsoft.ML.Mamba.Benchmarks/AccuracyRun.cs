using System.Diagnostics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Trains and judges one task with one seed.</summary>
internal sealed record AccuracyRun(DirectoryInfo Data, string Part, int Folds, string[] Overrides, bool ShowProgress)
{
    public AccuracyRow Measure(AccuracyTask task, int seed)
    {
        var ml = new MLContext(seed);
        var folder = new DirectoryInfo(Path.Combine(Data.FullName, task.Name));
        double trainSeconds = 0, weighted = 0, rows = 0;
        foreach (AccuracySplit split in AccuracyData.Splits(ml, folder, task.IsBinary, Part, Folds))
        {
            long start = Stopwatch.GetTimestamp();
            using var model = (IDisposable)(task.IsBinary ? FitBinary(ml, task, split.Train) : FitMulticlass(ml, task, split.Train));
            trainSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;

            (double value, double count) = Judge(ml, task, ((ITransformer)model).Transform(split.Judge));
            weighted += value * count;
            rows += count;
        }

        var row = new AccuracyRow(task.Name, seed, task.Metric, weighted / rows, trainSeconds);
        Console.WriteLine(FormattableString.Invariant($"{row.Dataset} seed {row.Seed}: {row.Metric} {row.Value:0.00} after {row.TrainSeconds:0} s"));
        return row;
    }

    private ITransformer FitBinary(MLContext ml, AccuracyTask task, IDataView train)
    {
        var options = task.Options<MambaBinaryTrainer.Options>(Overrides);
        options.Progress = Progress;
        return ml.BinaryClassification.Trainers.Mamba(options).Fit(train);
    }

    private TransformerChain<MambaMulticlassTransformer> FitMulticlass(MLContext ml, AccuracyTask task, IDataView train)
    {
        var options = task.Options<MambaMulticlassTrainer.Options>(Overrides);
        options.Progress = Progress;
        return ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.MulticlassClassification.Trainers.Mamba(options)).Fit(train);
    }

    private static (double Value, double Rows) Judge(MLContext ml, AccuracyTask task, IDataView scored)
    {
        ConfusionMatrix matrix = task.IsBinary
            ? ml.BinaryClassification.Evaluate(scored).ConfusionMatrix
            : ml.MulticlassClassification.Evaluate(scored).ConfusionMatrix;
        double rows = matrix.Counts.Sum(line => line.Sum());
        return (100 * (task.IsBinary ? Matthews(matrix) : Enumerable.Range(0, matrix.NumberOfClasses).Sum(i => matrix.Counts[i][i]) / rows), rows);
    }

    private static double Matthews(ConfusionMatrix matrix)
    {
        double a = matrix.Counts[0][0], b = matrix.Counts[0][1], c = matrix.Counts[1][0], d = matrix.Counts[1][1];
        double norm = Math.Sqrt((a + b) * (c + d) * (a + c) * (b + d));
        return norm > 0 ? (a * d - b * c) / norm : 0;
    }

    private void Progress(MambaTrainingProgress p)
    {
        if (ShowProgress && p.EpochCompleted)
            Console.WriteLine(FormattableString.Invariant($"  epoch {p.Epoch}/{p.Epochs}: loss {p.TrainingLoss:0.0000}, {p.SequencesPerSecond:0} sequences/s, {p.Elapsed.TotalSeconds:0} s"));
    }
}
