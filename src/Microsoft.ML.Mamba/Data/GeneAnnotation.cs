namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Labels of nucleotides from the features of a GFF3 file: '+' inside a feature of the forward strand, '-' of the reverse strand,
/// '0' elsewhere. Where features overlap the longest wins, of equally long ones the forward one. Lines with the same ID are one
/// feature, whose length is the sum of theirs.
/// </summary>
internal sealed class GeneAnnotation
{
    /// <summary>The labels, in the order of their keys.</summary>
    public const string Labels = "0+-";

    private readonly Dictionary<string, Segment[]> _segments;

    private GeneAnnotation(Dictionary<string, Segment[]> segments) => _segments = segments;

    /// <summary>Letters of one label: [From, To), from 0.</summary>
    private readonly record struct Segment(long From, long To, char Label);

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
            g => g.Key, g => Flatten([.. g.Select(p => (p.From, p.To, lengths[(p.Sequence, p.Feature)], p.Strand))])));
    }

    /// <summary>Whether the file has features of this sequence.</summary>
    public bool Knows(string sequence) => _segments.ContainsKey(sequence);

    /// <summary>Fills the labels of a window.</summary>
    /// <param name="sequence">The name of the sequence.</param>
    /// <param name="start">The nucleotides before the window.</param>
    /// <param name="labels">One character for each nucleotide of the window.</param>
    public void Fill(string sequence, long start, Span<char> labels)
    {
        labels.Fill('0');
        if (!_segments.TryGetValue(sequence, out var segments))
            return;
        for (var i = FirstBehind(segments, start); i < segments.Length && segments[i].From < start + labels.Length; i++)
        {
            var from = (int)Math.Max(0, segments[i].From - start);
            var to = (int)Math.Min(labels.Length, segments[i].To - start);
            labels[from..to].Fill(segments[i].Label);
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
    private static Segment[] Flatten((long From, long To, long Length, char Strand)[] features)
    {
        var events = new List<(long At, bool Begins, int Feature)>(2 * features.Length);
        for (var i = 0; i < features.Length; i++)
        {
            events.Add((features[i].From, true, i));
            events.Add((features[i].To, false, i));
        }
        events.Sort((a, b) => a.At.CompareTo(b.At));
        var active = new SortedSet<int>(Comparer<int>.Create((a, b) =>
        {
            var order = features[b].Length.CompareTo(features[a].Length);
            order = order != 0 ? order : features[a].Strand.CompareTo(features[b].Strand); // '+' is before '-'
            return order != 0 ? order : a.CompareTo(b);
        }));
        var segments = new List<Segment>();
        var from = 0L;
        foreach (var (at, begins, feature) in events)
        {
            if (active.Count > 0 && at > from)
                Append(segments, new Segment(from, at, features[active.Min].Strand));
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
        if (segments.Count > 0 && segments[^1].To == next.From && segments[^1].Label == next.Label)
            segments[^1] = segments[^1] with { To = next.To };
        else
            segments.Add(next);
    }
}
