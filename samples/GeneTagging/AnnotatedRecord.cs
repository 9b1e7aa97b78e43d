using Microsoft.ML;
using Microsoft.ML.Data;

/// <summary>A sequence with what a model says about it.</summary>
/// <param name="Region">Name and length.</param>
/// <param name="Forward">The probability of a gene of the forward strand, for each nucleotide.</param>
/// <param name="Reverse">The probability of one of the reverse strand.</param>
/// <param name="Genes">The genes found, from left to right.</param>
internal sealed record AnnotatedRecord(Region Region, float[] Forward, float[] Reverse, Gene[] Genes)
{
    /// <summary>Finds the genes in scored sequences, row by row.</summary>
    /// <exception cref="InvalidDataException">The labels are not '0', '+' and '-'.</exception>
    public static IEnumerable<AnnotatedRecord> Of(MLContext ml, IDataView scored, CancellationToken cancellation)
    {
        // Scores are in the order of the labels' keys.
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["PredictedLabel"].GetKeyValues(ref names);
        string[] labels = [.. names.DenseValues().Select(name => name.ToString())];
        var (forward, reverse) = (Array.IndexOf(labels, "+"), Array.IndexOf(labels, "-"));
        if (forward < 0 || reverse < 0)
            throw new InvalidDataException($"The model's labels are {string.Join(", ", labels)}; expected 0, + and -, as this sample trains them.");

        foreach (var row in ml.Data.CreateEnumerable<ScoredSequence>(scored, reuseRowObject: false))
        {
            cancellation.ThrowIfCancellationRequested();
            float[] Probability(int label) => [.. Enumerable.Range(0, row.Sequence.Length).Select(i => row.Score[i * labels.Length + label])];
            var (plus, minus) = (Probability(forward), Probability(reverse));
            yield return new(new(row.Id, row.Sequence.Length), plus, minus, GeneFinder.Find(row.Id, row.Sequence, plus, minus));
        }
    }

    private sealed class ScoredSequence
    {
        public string Id { get; set; } = "";

        public string Sequence { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
