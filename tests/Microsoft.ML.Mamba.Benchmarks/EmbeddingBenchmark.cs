using System.CommandLine;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Length">Tokens per text.</param>
/// <param name="RawRowsPerSecond">The encoder fed with ready batches of ids.</param>
/// <param name="PipelineRowsPerSecond">The same texts through Transform and a cursor that reads the vectors.</param>
/// <param name="Ratio">PipelineRowsPerSecond / RawRowsPerSecond.</param>
internal sealed record EmbeddingRow(int Rows, string Length, double RawRowsPerSecond, double PipelineRowsPerSecond, double Ratio);

/// <summary>What ML.NET's pipeline costs on top of an encoder of default size that embeds texts.</summary>
internal static class EmbeddingBenchmark
{
    private const int BatchSize = 64, Rows = 1_000, Shortest = 50, Longest = 500;

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        System.CommandLine.Command command = new("embedding", "Texts per second of an encoder alone and through MambaEmbed.") { rounds, json };
        command.SetAction(arguments => Report.Write([Measure(new Interleaved(arguments.GetValue(rounds)))], arguments.GetValue(json)));
        return command;
    }

    private static EmbeddingRow Measure(Interleaved timing)
    {
        var ml = new MLContext(seed: 1);
        TextRow[] rows = TextRow.Random(Rows, Shortest, Longest);
        IDataView view = ml.Data.LoadFromEnumerable(rows);
        using MambaEmbeddingTransformer model = ModelOfDefaultSize(ml, rows);
        var cost = new PipelineCost(model, rows.Select(row => row.Text), SequenceTokenizer.Bytes, BatchSize);
        double[] seconds = timing.Medians(cost.FeedBatches, () => cost.ReadRows<VBuffer<float>>(view, "Embedding"));
        (double raw, double pipeline) = (Rows / seconds[0], Rows / seconds[1]);
        return new EmbeddingRow(Rows, $"{Shortest}-{Longest}", raw, pipeline, pipeline / raw);
    }

    /// <summary>Speed does not depend on what an encoder has learnt: one step is enough.</summary>
    private static MambaEmbeddingTransformer ModelOfDefaultSize(MLContext ml, TextRow[] rows) =>
        ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options
        {
            InputColumnName = nameof(TextRow.Text),
            Tokenizer = SequenceTokenizer.Bytes,
            ScoringBatchSize = BatchSize,
            Training = new MambaTrainingOptions { MaxSteps = 1, ValidationFraction = 0 },
        }).Fit(ml.Data.LoadFromEnumerable(rows[..BatchSize]));
}
