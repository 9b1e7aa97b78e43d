namespace Microsoft.ML.Mamba.Training;

/// <summary>A run of positions of one label.</summary>
internal readonly record struct LabelSegment(int Start, int End, int Label);

/// <summary>Segments of label sequences, and how far two sequences of segments are apart.</summary>
internal static class LabelSegments
{
    /// <summary>The longest runs of equal labels, in order, without those of the background.</summary>
    internal static List<LabelSegment> Of(ReadOnlySpan<int> labels, int? background)
    {
        var segments = new List<LabelSegment>();
        for (var start = 0; start < labels.Length;)
        {
            var end = start + 1;
            while (end < labels.Length && labels[end] == labels[start])
            {
                end++;
            }
            if (labels[start] != background)
            {
                segments.Add(new LabelSegment(start, end, labels[start]));
            }
            start = end;
        }
        return segments;
    }

    /// <summary>
    /// The fewest insertions, deletions and exchanges that turn the labels of one into those of the other (Levenshtein). The work grows with the
    /// longer of the two times the distance (Ukkonen 1985), so that long sequences that are much alike take little of it.
    /// </summary>
    internal static int EditDistance(List<LabelSegment> a, List<LabelSegment> b)
    {
        for (long bound = Math.Max(16, Math.Abs(a.Count - b.Count)); ; bound *= 2)
        {
            var distance = DistanceWithin(a, b, (int)Math.Min(bound, Math.Max(a.Count, b.Count)));
            if (distance <= bound)
            {
                return distance;
            }
        }
    }

    // The distance if it is at most the bound, else something above it: no way of so few steps leaves the band around the diagonal.
    private static int DistanceWithin(List<LabelSegment> a, List<LabelSegment> b, int bound)
    {
        const int Far = int.MaxValue / 2;
        var row = new int[b.Count + 1];
        for (var j = 0; j <= b.Count; j++)
        {
            row[j] = j <= bound ? j : Far;
        }
        for (var i = 1; i <= a.Count; i++)
        {
            var (from, to) = (Math.Max(0, i - bound), Math.Min(b.Count, i + (long)bound));
            var diagonal = from > 0 ? row[from - 1] : Far;
            var left = Far;
            for (var j = from; j <= to; j++)
            {
                var above = row[j];
                var exchanged = j == 0 ? Far : diagonal + (a[i - 1].Label == b[j - 1].Label ? 0 : 1);
                row[j] = left = Math.Min(exchanged, 1 + Math.Min(left, above));
                diagonal = above;
            }
        }
        return row[^1];
    }

    /// <summary>
    /// How many predicted segments are right: one after the other, each takes the true segment of its label that it overlaps most, if
    /// intersection over union reaches the bound and no other segment has taken that one (Lea and others 2017, F1@k).
    /// </summary>
    internal static int Matches(List<LabelSegment> truth, List<LabelSegment> predicted, double bound)
    {
        var taken = new bool[truth.Count];
        var matches = 0;
        var first = 0;
        foreach (var segment in predicted)
        {
            while (first < truth.Count && truth[first].End <= segment.Start)
            {
                first++;
            }
            var (best, bestOverlap) = (-1, 0.0);
            for (var i = first; i < truth.Count && truth[i].Start < segment.End; i++)
            {
                if (truth[i].Label != segment.Label)
                {
                    continue;
                }
                double shared = Math.Min(truth[i].End, segment.End) - Math.Max(truth[i].Start, segment.Start);
                var overlap = shared / (Math.Max(truth[i].End, segment.End) - Math.Min(truth[i].Start, segment.Start));
                if (overlap > bestOverlap)
                {
                    (best, bestOverlap) = (i, overlap);
                }
            }
            if (best >= 0 && bestOverlap >= bound && !taken[best])
            {
                taken[best] = true;
                matches++;
            }
        }
        return matches;
    }
}
