using System.Diagnostics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Trains and judges one task with one seed.</summary>
internal sealed record AccuracyRun(DirectoryInfo Data, string Part, int Folds, MambaEncoder? Pretrained, string[] Overrides, Func<int, MLContext> Context, Action<MambaTrainingProgress> Progress)
{
    public AccuracyRow Measure(AccuracyTask task, int seed)
    {
        var ml = Context(seed);
        var folder = new DirectoryInfo(Path.Combine(Data.FullName, task.Name));
        double trainSeconds = 0, weighted = 0, rows = 0;
        foreach (AccuracySplit split in AccuracyData.Splits(ml, folder, task, Part, Folds))
        {
            long start = Stopwatch.GetTimestamp();
            MambaEncoder? pretrained = task.IsText ? Pretrained : null;
            SequenceTokenizer tokenizer = pretrained?.Tokenizer ?? TokenizerOf(task, split.Train);
            using var model = (IDisposable)(task.IsBinary
                ? FitBinary(ml, task.Options<MambaBinaryTrainer.Options>(tokenizer, pretrained, Overrides), split.Train)
                : FitMulticlass(ml, task.Options<MambaMulticlassTrainer.Options>(tokenizer, pretrained, Overrides), split.Train));
            trainSeconds += Stopwatch.GetElapsedTime(start).TotalSeconds;

            (double value, double count) = Judge(ml, task, ((ITransformer)model).Transform(split.Judge));
            weighted += value * count;
            rows += count;
        }

        var row = new AccuracyRow(task.IsText && Pretrained is not null ? $"{task.Name}, pretrained" : task.Name, seed, task.Metric, weighted / rows, trainSeconds);
        Console.WriteLine(FormattableString.Invariant($"{row.Dataset} seed {row.Seed}: {row.Metric} {row.Value:0.00} after {row.TrainSeconds:0} s"));
        return row;
    }

    /// <summary>A vocabulary is part of what is learnt, so it comes from the training rows alone.</summary>
    private static SequenceTokenizer TokenizerOf(AccuracyTask task, IDataView train) => task.IsText
        ? SequenceTokenizer.LearnBytePairs(train.GetColumn<string>("Sequence"), task.VocabSize, lowercase: true)
        : SequenceTokenizer.Dna;

    private ITransformer FitBinary(MLContext ml, MambaBinaryTrainer.Options options, IDataView train)
    {
        options.Progress = Progress;
        return ml.BinaryClassification.Trainers.Mamba(options).Fit(train);
    }

    private TransformerChain<MambaMulticlassTransformer> FitMulticlass(MLContext ml, MambaMulticlassTrainer.Options options, IDataView train)
    {
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
}
