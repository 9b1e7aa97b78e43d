using System.CommandLine;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Length">Letters per row; a range where they differ.</param>
/// <param name="RawRowsPerSecond">The model fed with ready batches of ids.</param>
/// <param name="PipelineRowsPerSecond">The same rows as text through Transform and a cursor that reads Score.</param>
/// <param name="Ratio">PipelineRowsPerSecond / RawRowsPerSecond.</param>
/// <param name="RowByRowRowsPerSecond">Through a PredictionEngine, on the first rows.</param>
internal sealed record ScoringRow(int Rows, string Length, double RawRowsPerSecond, double PipelineRowsPerSecond, double Ratio, double RowByRowRowsPerSecond);

/// <summary>What ML.NET's pipeline costs on top of the model: random DNA, a model of default size, no gradients.</summary>
internal static class ScoringBenchmark
{
    private const int BatchSize = 64, RowsOneByOne = 200;
    private static readonly (int Rows, int Shortest, int Longest)[] Cases = [(10_000, 60, 60), (1_000, 200, 2_000)];

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        System.CommandLine.Command command = new("scoring", "Rows per second of a model alone, through Transform, and through a PredictionEngine.") { rounds, json };
        command.SetAction(arguments =>
        {
            var timing = new Interleaved(arguments.GetValue(rounds));
            Report.Write([.. Cases.Select(c => Measure(DnaRow.Random(c.Rows, c.Shortest, c.Longest), c.Shortest, c.Longest, timing))], arguments.GetValue(json));
        });
        return command;
    }

    private static ScoringRow Measure(DnaRow[] rows, int shortest, int longest, Interleaved timing)
    {
        var ml = new MLContext(seed: 1);
        IDataView view = ml.Data.LoadFromEnumerable(rows);
        using MambaBinaryTransformer model = ModelOfDefaultSize(ml, rows);
        var cost = new PipelineCost(model, rows.Select(row => row.Sequence), SequenceTokenizer.Dna, BatchSize);
        using PredictionEngine<DnaRow, DnaPrediction> engine = ml.Model.CreatePredictionEngine<DnaRow, DnaPrediction>(model);
        DnaRow[] first = rows[..RowsOneByOne];

        double[] seconds = timing.Medians(
            cost.FeedBatches,
            () => cost.ReadRows<float>(view, "Score"),
            () => Array.ForEach(first, row => engine.Predict(row)));
        (double raw, double pipeline, double oneByOne) = (rows.Length / seconds[0], rows.Length / seconds[1], first.Length / seconds[2]);
        return new ScoringRow(rows.Length, shortest == longest ? $"{shortest}" : $"{shortest}-{longest}", raw, pipeline, pipeline / raw, oneByOne);
    }

    /// <summary>Speed does not depend on what a model has learnt: one step is enough.</summary>
    private static MambaBinaryTransformer ModelOfDefaultSize(MLContext ml, DnaRow[] rows) =>
        ml.BinaryClassification.Trainers.Mamba(new MambaBinaryTrainer.Options
        {
            Tokenizer = SequenceTokenizer.Dna,
            ScoringBatchSize = BatchSize,
            Training = new MambaTrainingOptions { MaxSteps = 1, ValidationFraction = 0 },
        }).Fit(ml.Data.LoadFromEnumerable(rows[..BatchSize]));
}
