namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Labels of nucleotides from the features of a GFF3 file: inside a feature of the forward strand, of the reverse strand, or
/// elsewhere; perhaps with the position in the codon. Where features overlap the longest wins, of equally long ones the forward one.
/// Lines with the same ID are one feature, whose length is the sum of theirs.
/// </summary>
internal sealed class GeneAnnotation
{
    private readonly Dictionary<string, Segment[]> _segments;

    private GeneAnnotation(Dictionary<string, Segment[]> segments) => _segments = segments;

    /// <summary>Letters of one feature: [From, To), from 0.</summary>
    /// <param name="From">The first letter.</param>
    /// <param name="To">The letter behind the last.</param>
    /// <param name="Strand">'+' or '-'.</param>
    /// <param name="CodonStart">A letter that is the first of a codon, which may lie outside.</param>
    private readonly record struct Segment(long From, long To, char Strand, long CodonStart)
    {
        /// <summary>0 to 2: where in its codon a letter of the segment is, as its strand is read.</summary>
        public int CodonPosition(long letter) => (int)((((Strand == '+' ? letter - CodonStart : CodonStart - letter) % 3) + 3) % 3);
    }

    /// <summary>The labels, in the order of their keys: '0' outside of features, then the strand, or the strand and the position in the codon.</summary>
    public static string[] Labels(bool codonPositions) => codonPositions ? ["0", "+1", "+2", "+3", "-1", "-2", "-3"] : ["0", "+", "-"];

    /// <summary>Reads a file, which may be packed with gzip.</summary>
    /// <param name="path">The file.</param>
    /// <param name="featureType">The third column of the lines that count, such as "CDS".</param>
    /// <exception cref="MambaSequenceFileException">It cannot be read, or a line is malformed.</exception>
    public static GeneAnnotation Load(string path, string featureType)
    {
        using var file = LetterFile.Open(path);
        return Read(file, featureType);
    }

    /// <summary>The same of an open file.</summary>
    public static GeneAnnotation Read(LetterFile file, string featureType)
    {
        var parts = Gff3Reader.Read(file, featureType);
        var lengths = parts.GroupBy(p => (p.Sequence, p.Feature)).ToDictionary(g => g.Key, g => g.Aggregate(0L, (sum, p) => long.CreateSaturating((Int128)sum + p.To - p.From)));
        return new(parts.GroupBy(p => p.Sequence).ToDictionary(
            g => g.Key, g => Flatten([.. g.Select(p => (new Segment(p.From, p.To, p.Strand, p.Strand == '+' ? p.From + p.Phase : p.To - 1 - p.Phase), lengths[(p.Sequence, p.Feature)]))])));
    }

    /// <summary>Whether the file has features of this sequence.</summary>
    public bool Knows(string sequence) => _segments.ContainsKey(sequence);

    /// <summary>Fills the labels of a window.</summary>
    /// <param name="sequence">The name of the sequence.</param>
    /// <param name="start">The nucleotides before the window.</param>
    /// <param name="labels">The index in <see cref="Labels"/> for each nucleotide of the window.</param>
    /// <param name="codonPositions">Which labels.</param>
    public void Fill(string sequence, long start, Span<int> labels, bool codonPositions)
    {
        labels.Clear();
        if (!_segments.TryGetValue(sequence, out var segments))
            return;
        for (var i = FirstBehind(segments, start); i < segments.Length && segments[i].From < start + labels.Length; i++)
        {
            var from = (int)Math.Max(0, segments[i].From - start);
            var to = (int)Math.Min(labels.Length, segments[i].To - start);
            var (strand, perStrand) = (segments[i].Strand == '+' ? 0 : 1, codonPositions ? 3 : 1);
            for (var letter = from; letter < to; letter++)
                labels[letter] = 1 + (strand * perStrand) + (codonPositions ? segments[i].CodonPosition(start + letter) : 0);
        }
    }

    // The first segment that ends behind a place.
    private static int FirstBehind(Segment[] segments, long place)
    {
        int low = 0, high = segments.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (segments[middle].To > place)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    // From left to right: at each place where a feature begins or ends, the first of those under way gives the label.
    private static Segment[] Flatten((Segment Part, long Length)[] features)
    {
        var events = new List<(long At, bool Begins, int Feature)>(2 * features.Length);
        for (var i = 0; i < features.Length; i++)
        {
            events.Add((features[i].Part.From, true, i));
            events.Add((features[i].Part.To, false, i));
        }
        events.Sort((a, b) => a.At.CompareTo(b.At));
        var active = new SortedSet<int>(Comparer<int>.Create((a, b) =>
        {
            var order = features[b].Length.CompareTo(features[a].Length);
            order = order != 0 ? order : features[a].Part.Strand.CompareTo(features[b].Part.Strand); // '+' is before '-'
            return order != 0 ? order : a.CompareTo(b);
        }));
        var segments = new List<Segment>();
        var from = 0L;
        foreach (var (at, begins, feature) in events)
        {
            if (active.Count > 0 && at > from)
                Append(segments, features[active.Min].Part with { From = from, To = at });
            from = at;
            if (begins)
                active.Add(feature);
            else
                active.Remove(feature);
        }
        return [.. segments];
    }

    private static void Append(List<Segment> segments, Segment next)
    {
        if (segments.Count > 0 && segments[^1].To == next.From && segments[^1].Strand == next.Strand && segments[^1].CodonPosition(next.CodonStart) == 0)
            segments[^1] = segments[^1] with { To = next.To };
        else
            segments.Add(next);
    }
}
