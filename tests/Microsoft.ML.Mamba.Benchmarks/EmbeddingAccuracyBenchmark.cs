using System.CommandLine;
using System.Diagnostics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Features">What the linear trainer learns from: 3-mers, an encoder with its initial weights, or one that has learnt without labels.</param>
/// <param name="Accuracy">Windows judged rightly, in percent.</param>
/// <param name="Auc">Area under the ROC curve, times 100.</param>
/// <param name="TrainSeconds">Time of Fit, encoder and linear model.</param>
internal sealed record EmbeddingAccuracyRow(string Dataset, int Seed, string Features, double Accuracy, double Auc, double TrainSeconds);

/// <summary>
/// What an encoder learns from unlabelled DNA: whether most of a window is coding, said by ML.NET's logistic regression from the
/// window's embedding, against the same of an untrained encoder and against counts of 3-mers.
/// </summary>
internal static class EmbeddingAccuracyBenchmark
{
    private const string Dataset = "dna-genes-ecoli";

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<DirectoryInfo> data = new("--data") { Description = $"Folder that holds the folder {Dataset}.", Required = true };
        Option<int> seeds = new("--seeds") { Description = "How many seeds.", DefaultValueFactory = _ => 1 };
        Option<int> firstSeed = new("--first-seed") { Description = "Begin with another seed than 1.", DefaultValueFactory = _ => 1 };
        Option<string> part = new("--part") { Description = "What to be judged by: test, or valid for choosing settings.", DefaultValueFactory = _ => "test" };
        part.AcceptOnlyFromAmong("test", "valid");
        Option<bool> layers = new("--layers") { Description = "Also judge the embeddings of every block, mean and max." };
        Option<FileInfo?> kept = new("--encoder") { Description = "File of a model: the encoder of the first seed is read from it where it is there, else written to it once learnt." };
        Option<string[]> set = new("--set") { Description = "Override a setting: Training.Epochs=10, Model.NLayer=4.", AllowMultipleArgumentsPerToken = true };
        Option<int?> gpu = new("--gpu") { Description = "Train and score on this GPU: its index from 0." };
        Option<bool> progress = new("--progress") { Description = "Print a line per epoch." };
        System.CommandLine.Command command = new("embedding-accuracy", "What a linear trainer makes of embeddings learnt without labels.") { data, seeds, firstSeed, part, layers, kept, set, gpu, progress, json };
        command.SetAction(arguments =>
        {
            (GenomeWindow[] train, GenomeWindow[] judge) = GenomeWindow.Load(new DirectoryInfo(Path.Combine(arguments.GetRequiredValue(data).FullName, Dataset)), arguments.GetValue(part)!);
            Console.WriteLine(FormattableString.Invariant($"{train.Length:N0} windows to learn from, {judge.Length:N0} to judge by; {100.0 * judge.Count(row => row.Label) / judge.Length:0.00} % of those are coding."));
            var run = new Run(train, judge, arguments.GetValue(set)!, seed => AccuracyBenchmark.Context(seed, arguments.GetValue(gpu)), arguments.GetValue(progress) ? AccuracyBenchmark.EpochLine : null);
            List<EmbeddingAccuracyRow> rows = [run.KMers()];
            int first = arguments.GetValue(firstSeed);
            foreach (int seed in Enumerable.Range(first, arguments.GetValue(seeds)))
                rows.AddRange(run.Encoders(seed, arguments.GetValue(layers), seed == first ? arguments.GetValue(kept) : null));
            Report.Write(rows, arguments.GetValue(json));
        });
        return command;
    }

    /// <summary>The settings, chosen on the part valid.</summary>
    private static MambaEmbeddingEstimator.Options Options(IEnumerable<string> overrides)
    {
        var options = new MambaEmbeddingEstimator.Options
        {
            OutputColumnName = "Features",
            Tokenizer = SequenceTokenizer.Dna,
            Model = new MambaConfig { DModel = 128, NLayer = 8, DConv = 8, Bidirectional = false, MaxPositions = 3, PeriodicPositions = true },
            Training = new MambaTrainingOptions
            {
                Epochs = 24, BatchSize = 32, LearningRate = 2e-3, Dropout = 0.2, MutationRate = 0.1, ValidationFraction = 0,
                ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
            },
        };
        foreach (string setting in overrides)
            SettingOverride.Apply(options, setting);
        return options;
    }

    private sealed class Run(GenomeWindow[] train, GenomeWindow[] judge, string[] overrides, Func<int, MLContext> context, Action<MambaTrainingProgress>? progress)
    {
        public EmbeddingAccuracyRow KMers()
        {
            MLContext ml = context(1);
            return Judge(ml, 1, "3-mers", ml.Transforms.Text.TokenizeIntoCharactersAsKeys("Letters", "Sequence", useMarkerCharacters: false)
                .Append(ml.Transforms.Text.ProduceNgrams("Features", "Letters", ngramLength: 3, useAllLengths: false)));
        }

        public IEnumerable<EmbeddingAccuracyRow> Encoders(int seed, bool layers, FileInfo? kept)
        {
            MLContext ml = context(seed);

            // One step of next to no length leaves the initial weights.
            var untrained = Options(overrides);
            (untrained.Training.MaxSteps, untrained.Training.LearningRate) = (1, 1e-12);
            foreach (EmbeddingAccuracyRow row in JudgeLearnt(ml, seed, "untrained", untrained, layers, null))
                yield return row;

            var learnt = Options(overrides);
            learnt.Progress = progress;
            foreach (EmbeddingAccuracyRow row in JudgeLearnt(ml, seed, "learnt without labels", learnt, layers, kept))
                yield return row;
        }

        private IEnumerable<EmbeddingAccuracyRow> JudgeLearnt(MLContext ml, int seed, string features, MambaEmbeddingEstimator.Options options, bool layers, FileInfo? kept)
        {
            long start = Stopwatch.GetTimestamp();
            IDataView rows = ml.Data.LoadFromEnumerable(train);
            using MambaEmbeddingTransformer encoder = kept is { Exists: true } ? (MambaEmbeddingTransformer)ml.Model.Load(kept.FullName, out _) : ml.Transforms.MambaEmbed(options).Fit(rows);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (kept is { Exists: false })
                ml.Model.Save(encoder, rows.Schema, kept.FullName);
            foreach (EmbeddingAccuracyRow row in Judge(ml, seed, features, MambaEncoder.Of(encoder), seconds, layers))
                yield return row;
        }

        private IEnumerable<EmbeddingAccuracyRow> Judge(MLContext ml, int seed, string features, MambaEncoder encoder, double seconds, bool layers)
        {
            EmbeddingAccuracyRow Row(string name, MambaPooling pooling, int? layer)
            {
                var probe = Options(overrides);
                (probe.Model, probe.Pretrained, probe.Pooling, probe.Layer) = (new MambaConfig(), encoder, pooling, layer);
                EmbeddingAccuracyRow row = Judge(ml, seed, name, ml.Transforms.MambaEmbed(probe));
                return row with { TrainSeconds = row.TrainSeconds + seconds };
            }

            MambaEmbeddingEstimator.Options chosen = Options(overrides);
            yield return Row(features, chosen.Pooling, chosen.Layer);
            yield return JudgePieces(ml, seed, $"{features}, by pieces", encoder, seconds);
            if (!layers)
                yield break;
            foreach (int layer in Enumerable.Range(1, encoder.Model.NLayer))
            {
                foreach (MambaPooling pooling in (MambaPooling[])[MambaPooling.Mean, MambaPooling.MeanMax])
                    yield return Row($"{features}, block {layer}, {pooling}", pooling, layer);
            }
        }

        private EmbeddingAccuracyRow Judge(MLContext ml, int seed, string name, IEstimator<ITransformer> features)
        {
            long start = Stopwatch.GetTimestamp();
            IDataView view = ml.Data.LoadFromEnumerable(train);
            ITransformer fitted = features.Fit(view);
            IDataView rows = ml.Data.Cache(fitted.Transform(view));
            ITransformer linear = Linear(ml).Fit(rows);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return Told(seed, name, ml.BinaryClassification.Evaluate(linear.Transform(fitted.Transform(ml.Data.LoadFromEnumerable(judge)))), seconds);
        }

        private EmbeddingAccuracyRow JudgePieces(MLContext ml, int seed, string name, MambaEncoder encoder, double encoderSeconds)
        {
            long start = Stopwatch.GetTimestamp();
            MambaEmbeddingEstimator.Options options = Options(overrides);
            (options.Model, options.Pretrained, options.PerPosition, options.Training.ReverseComplementAveraging) = (new MambaConfig(), encoder, true, false);
            var probe = new PieceProbe(ml, ml.Transforms.MambaEmbed(options), Linear(ml), train);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds + encoderSeconds;
            return Told(seed, name, probe.Evaluate(judge), seconds);
        }

        private static IEstimator<ITransformer> Linear(MLContext ml) => ml.Transforms.NormalizeMeanVariance("Features", fixZero: false)
            .Append(ml.BinaryClassification.Trainers.LbfgsLogisticRegression(l1Regularization: 0, l2Regularization: 1));

        private static EmbeddingAccuracyRow Told(int seed, string name, BinaryClassificationMetrics metrics, double seconds)
        {
            var row = new EmbeddingAccuracyRow(Dataset, seed, name, 100 * metrics.Accuracy, 100 * metrics.AreaUnderRocCurve, seconds);
            Console.WriteLine(FormattableString.Invariant($"seed {seed}, {name}: accuracy {row.Accuracy:0.00} %, AUC {row.Auc:0.0}, {seconds:0} s"));
            return row;
        }
    }
}
