/// <summary>How many genes of a list are true ones.</summary>
/// <param name="True">Genes that there are.</param>
/// <param name="Found">Those whose stop codon is that of a gene in the list, on the same strand.</param>
/// <param name="Exact">Those of them whose start codon is right too.</param>
/// <param name="False">Genes of the list that there are not.</param>
internal sealed record GeneCounts(int True, int Found, int Exact, int False)
{
    /// <summary>Counts.</summary>
    public static GeneCounts Of(IReadOnlyCollection<Gene> genes, IReadOnlyCollection<Gene> truth)
    {
        var (ends, places) = (genes.Select(g => g.End).ToHashSet(), genes.Select(g => g.Place).ToHashSet());
        var trueEnds = truth.Select(g => g.End).ToHashSet();
        return new(truth.Count, truth.Count(g => ends.Contains(g.End)), truth.Count(g => places.Contains(g.Place)), genes.Count(g => !trueEnds.Contains(g.End)));
    }
}
