/// <summary>Open reading frames: what lies between two stop codons of one frame, and where in it a gene might begin.</summary>
internal static class ReadingFrames
{
    private const string Complements = "TVGHNNCDNNMNKNNNNYSAABWNRN"; // of A to Z

    /// <summary>A stop codon and the start codons before it, from the farthest to the nearest. Places are those of the strand it lies on, from 0.</summary>
    /// <param name="Starts">The first letters of the start codons.</param>
    /// <param name="End">The place behind the stop codon.</param>
    internal sealed record Frame(int[] Starts, int End);

    /// <summary>The frames of one strand, read forward. Starts are ATG, GTG and TTG, stops are TAA, TAG and TGA.</summary>
    public static IEnumerable<Frame> Of(string strand)
    {
        for (var frame = 0; frame < 3; frame++)
        {
            var starts = new List<int>();
            for (var i = frame; i + 3 <= strand.Length; i += 3)
            {
                switch (strand.AsSpan(i, 3))
                {
                    case "ATG" or "GTG" or "TTG":
                        starts.Add(i);
                        break;
                    case "TAA" or "TAG" or "TGA":
                        if (starts.Count > 0)
                            yield return new Frame([.. starts], i + 3);
                        starts.Clear();
                        break;
                }
            }
        }
    }

    /// <summary>The rule to beat: from the farthest start codon to each stop codon, on both strands, if that is long enough.</summary>
    /// <param name="name">The name of the sequence.</param>
    /// <param name="sequence">Its letters, upper case.</param>
    /// <param name="shortest">The fewest nucleotides, with both codons.</param>
    public static IEnumerable<Gene> LongestOnes(string name, string sequence, int shortest) =>
        from strand in "+-"
        from frame in Of(strand == '+' ? sequence : OtherStrand(sequence))
        where frame.End - frame.Starts[0] >= shortest
        select OnForwardStrand(name, sequence.Length, strand, frame.Starts[0], frame.End);

    /// <summary>A gene by its places on its own strand.</summary>
    public static Gene OnForwardStrand(string name, int length, char strand, int start, int end, double score = double.NaN) => strand == '+'
        ? new Gene(name, start, end, strand, score)
        : new Gene(name, length - end, length - start, strand, score);

    /// <summary>The reverse complement.</summary>
    public static string OtherStrand(string sequence) => string.Create(sequence.Length, sequence, (other, letters) =>
    {
        for (var i = 0; i < other.Length; i++)
            other[^(i + 1)] = char.IsAsciiLetterUpper(letters[i]) ? Complements[letters[i] - 'A'] : 'N';
    });
}
