using System.CommandLine;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Value">Percent, Matthews correlation times 100, or an error rate as a fraction.</param>
/// <param name="TrainSeconds">Time of Fit; of all folds together where there are several.</param>
internal sealed record AccuracyRow(string Dataset, int Seed, string Metric, double Value, double TrainSeconds);

/// <summary>What the trainers reach on real DNA, text and audio, through the public ML.NET surface.</summary>
internal static class AccuracyBenchmark
{
    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<DirectoryInfo> data = new("--data") { Description = "Folder that holds one folder per data set.", Required = true };
        Option<string[]> only = new("--only") { Description = "Only these data sets.", AllowMultipleArgumentsPerToken = true };
        Option<int> seeds = new("--seeds") { Description = "Seeds 1 to this.", DefaultValueFactory = _ => 3 };
        Option<int> firstSeed = new("--first-seed") { Description = "Begin with another seed than 1.", DefaultValueFactory = _ => 1 };
        Option<string> part = new("--part") { Description = "What to be judged by: test, or valid for choosing settings.", DefaultValueFactory = _ => "test" };
        part.AcceptOnlyFromAmong("test", "valid");
        Option<int> folds = new("--folds") { Description = "Folds of the train part where --part valid finds no valid.tsv.", DefaultValueFactory = _ => 5 };
        Option<string[]> set = new("--set") { Description = "Override a setting: Training.LearningRate=1e-3, Model.DModel=96, Pooling=Attention.", AllowMultipleArgumentsPerToken = true };
        Option<bool> pretrain = new("--pretrain") { Description = "Let text tasks begin with an encoder learnt without labels from the training texts of all of them." };
        Option<string[]> setPretraining = new("--set-pretraining") { Description = "Override a setting of that: Training.Epochs=4.", AllowMultipleArgumentsPerToken = true };
        Option<int?> gpu = new("--gpu") { Description = "Train and score on this GPU: its index from 0." };
        Option<bool> progress = new("--progress") { Description = "Print a line per epoch." };
        set.Validators.Add(result =>
        {
            try
            {
                // Taggers have settings that classifiers lack; what does not fit the one that is measured is an error there.
                foreach (string setting in result.GetValueOrDefault<string[]>())
                    Check(setting);
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
        });
        only.AcceptOnlyFromAmong([.. AccuracyTask.All.Select(task => task.Name), .. FineTask.All.Select(task => task.Name)]);
        System.CommandLine.Command command = new("accuracy", "Accuracy and Matthews correlation on real DNA and text.") { data, only, seeds, firstSeed, part, folds, pretrain, setPretraining, set, gpu, progress, json };
        command.SetAction(arguments =>
        {
            DirectoryInfo folder = arguments.GetRequiredValue(data);
            Action<MambaTrainingProgress> show = arguments.GetValue(progress) ? EpochLine : _ => { };
            using MambaEmbeddingTransformer? encoder = arguments.GetValue(pretrain)
                ? new Pretraining(folder, arguments.GetValue(setPretraining)!, show).Learn(Context(1, arguments.GetValue(gpu)))
                : null;
            var run = new AccuracyRun(folder, arguments.GetValue(part)!, arguments.GetValue(folds), encoder is null ? null : MambaEncoder.Of(encoder), arguments.GetValue(set)!, seed => Context(seed, arguments.GetValue(gpu)), show);
            string[] names = arguments.GetValue(only)!;
            int first = arguments.GetValue(firstSeed);
            List<AccuracyRow> rows = [];
            foreach (AccuracyTask task in AccuracyTask.All.Where(task => names.Length == 0 || names.Contains(task.Name)))
            {
                foreach (int seed in Enumerable.Range(first, arguments.GetValue(seeds)))
                    rows.Add(run.Measure(task, seed));
            }

            foreach (FineTask task in FineTask.All.Where(task => names.Length == 0 || names.Contains(task.Name)))
            {
                foreach (int seed in Enumerable.Range(first, arguments.GetValue(seeds)))
                {
                    FineResult result = task.Measure(new FineRun(Context(seed, arguments.GetValue(gpu)), folder, arguments.GetValue(part)!, arguments.GetValue(set)!, show));
                    foreach (var (metric, value) in result.Metrics)
                        rows.Add(new AccuracyRow(task.Name, seed, metric, value, result.TrainSeconds));
                    Console.WriteLine(FormattableString.Invariant($"{task.Name} seed {seed}: {string.Join(", ", result.Metrics.Select(m => FormattableString.Invariant($"{m.Name} {m.Value:0.00}")))} after {result.TrainSeconds:0} s"));
                }
            }

            Report.Write(rows, arguments.GetValue(json));
            foreach (IGrouping<string, AccuracyRow> dataset in rows.GroupBy(row => $"{row.Dataset}, {row.Metric}"))
                Console.WriteLine(FormattableString.Invariant($"{dataset.Key}: mean {dataset.Average(row => row.Value):0.00} over {dataset.Count()} seeds, {arguments.GetValue(part)} part"));
        });
        return command;
    }

    /// <summary>A context whose estimators train and score on that GPU; null: on the CPU.</summary>
    internal static MLContext Context(int seed, int? gpu) => new(seed) { GpuDeviceId = gpu };

    private static void Check(string setting)
    {
        try
        {
            SettingOverride.Apply(new MambaMulticlassTrainer.Options(), setting);
        }
        catch (ArgumentException)
        {
            SettingOverride.Apply(new MambaTaggingTrainer.Options(), setting);
        }
    }

    /// <summary>Prints how far a training is, once per epoch.</summary>
    internal static void EpochLine(MambaTrainingProgress p)
    {
        if (p.EpochCompleted)
            Console.WriteLine(FormattableString.Invariant($"  epoch {p.Epoch}/{p.Epochs}: loss {p.TrainingLoss:0.0000}, {p.TokensPerSecond:0} tokens/s, {p.Elapsed.TotalSeconds:0} s"));
    }
}
