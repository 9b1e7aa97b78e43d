/// <summary>
/// From probabilities of nucleotides to genes. Nucleotides alone make no genes: borders blur, and neighbours run together. So each stop
/// codon is asked for the start codon with which most speaks for a gene (the sum of P - 1/2 over its nucleotides, P the probability of its strand);
/// those that less than nothing speaks for are dropped, and of genes that overlap the one with less evidence.
/// </summary>
internal static class GeneFinder
{
    /// <summary>The fewest nucleotides of a gene, with start and stop codon. Shorter ones are more often chance than gene.</summary>
    public const int Shortest = 150;

    /// <summary>
    /// The largest part of a gene that those may cover which more speaks for. Bacterial genes often overlap by a codon or two, and by more
    /// where the start codon of a neighbour is taken too far out.
    /// </summary>
    public const double LargestOverlap = 0.25;

    /// <summary>Finds the genes of a sequence.</summary>
    /// <param name="name">The name of the sequence.</param>
    /// <param name="sequence">Its letters, upper case.</param>
    /// <param name="forward">The probability of a gene of the forward strand, for each nucleotide.</param>
    /// <param name="reverse">The probability of one of the reverse strand.</param>
    /// <returns>The genes from left to right; scores are mean probabilities.</returns>
    public static Gene[] Find(string name, string sequence, float[] forward, float[] reverse)
    {
        var candidates = OnStrand(name, sequence, '+', forward).Concat(OnStrand(name, ReadingFrames.OtherStrand(sequence), '-', [.. reverse.Reverse()]));
        var taken = new bool[sequence.Length];
        var genes = new List<Gene>();
        foreach (var (gene, _) in candidates.OrderByDescending(c => c.Evidence))
        {
            var place = taken.AsSpan(gene.From, gene.Length);
            if (place.Count(true) > LargestOverlap * gene.Length)
                continue;
            place.Fill(true);
            genes.Add(gene);
        }
        return [.. genes.OrderBy(g => g.From)];
    }

    private static IEnumerable<(Gene Gene, double Evidence)> OnStrand(string name, string strand, char sign, float[] probability)
    {
        var sums = new double[strand.Length + 1];
        for (var i = 0; i < probability.Length; i++)
            sums[i + 1] = sums[i] + probability[i];
        double Mean(int start, int end) => (sums[end] - sums[start]) / (end - start);
        double Evidence(int start, int end) => (Mean(start, end) - 0.5) * (end - start);

        foreach (var (starts, end) in ReadingFrames.Of(strand))
        {
            var possible = starts.Where(start => end - start >= Shortest).ToArray();
            if (possible.Length == 0)
                continue;
            var best = possible.MaxBy(start => Evidence(start, end));
            if (Evidence(best, end) > 0)
                yield return (ReadingFrames.OnForwardStrand(name, strand.Length, sign, best, end, Mean(best, end)), Evidence(best, end));
        }
    }
}
