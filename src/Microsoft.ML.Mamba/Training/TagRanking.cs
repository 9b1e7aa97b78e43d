namespace Microsoft.ML.Mamba.Training;

/// <summary>How well the scores of one tag separate the rows that have it from those that have not.</summary>
internal static class TagRanking
{
    /// <summary>
    /// Average precision, Σ (R_n - R_(n-1))·P_n over the distinct scores from the highest down, without interpolation; rows of equal
    /// score come in together (as <c>average_precision_score</c> of scikit-learn). NaN without a row that has the tag.
    /// </summary>
    internal static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<bool> has)
    {
        double sum = 0;
        long positives = 0;
        foreach (var (found, above, added, _) in Steps(scores, has))
        {
            sum += added * ((double)found / above);
            positives = found;
        }
        return positives == 0 ? double.NaN : sum / positives;
    }

    /// <summary>The chance that a row with the tag scores higher than one without it, equal scores counting half. NaN where there are no such pairs.</summary>
    internal static double AreaUnderCurve(ReadOnlySpan<float> scores, ReadOnlySpan<bool> has)
    {
        double pairs = 0;
        long found = 0, above = 0;
        foreach (var step in Steps(scores, has))
        {
            var negatives = step.Above - above - step.Added;
            pairs += negatives * (found + (step.Added / 2.0));
            (found, above) = (step.Found, step.Above);
        }
        return found == 0 || found == above ? double.NaN : pairs / ((double)found * (above - found));
    }

    /// <summary>
    /// The threshold whose F1 is the highest when rows that score it or more get the tag: 0.5 or half-way between two scores. Of
    /// equally good ones the one nearest to 0.5; 0.5 without a row that has the tag.
    /// </summary>
    internal static float BestThreshold(ReadOnlySpan<float> scores, ReadOnlySpan<bool> has)
    {
        var steps = Steps(scores, has);
        var positives = steps.Count == 0 ? 0 : steps[^1].Found;
        var (best, bestF1) = (0.5f, 0.0);
        for (var i = 0; i < steps.Count && positives > 0; i++)
        {
            var f1 = 2.0 * steps[i].Found / (positives + steps[i].Above);
            var below = i + 1 < steps.Count ? steps[i + 1].Score : 0;
            var threshold = Between(below, steps[i].Score);
            if (f1 > bestF1 || (f1 == bestF1 && Math.Abs(threshold - 0.5f) < Math.Abs(best - 0.5f)))
            {
                (best, bestF1) = (threshold, f1);
            }
        }
        return best;
    }

    /// <summary>A threshold above one score and not above the next.</summary>
    private static float Between(float below, float above)
    {
        if (below < 0.5f && above >= 0.5f)
        {
            return 0.5f;
        }
        var middle = (float)(((double)below + above) / 2);
        return middle > below ? middle : above;
    }

    /// <summary>From the highest score down, one step per distinct score: rows with the tag so far, rows so far, and rows with the tag that this score adds.</summary>
    private static List<(long Found, long Above, long Added, float Score)> Steps(ReadOnlySpan<float> scores, ReadOnlySpan<bool> has)
    {
        var order = new int[scores.Length];
        var keys = new float[scores.Length];
        for (var i = 0; i < order.Length; i++)
        {
            (order[i], keys[i]) = (i, -scores[i]);
        }
        keys.AsSpan().Sort(order.AsSpan());
        var steps = new List<(long Found, long Above, long Added, float Score)>();
        long found = 0;
        for (var i = 0; i < order.Length;)
        {
            long added = 0;
            var score = scores[order[i]];
            for (; i < order.Length && scores[order[i]].Equals(score); i++)
            {
                added += has[order[i]] ? 1 : 0;
            }
            found += added;
            steps.Add((found, i, added, score));
        }
        return steps;
    }
}
