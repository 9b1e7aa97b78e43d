namespace Microsoft.ML.Mamba.Training;

/// <summary>Remembers the best validation result and how many epochs ago it was.</summary>
internal sealed class BestEpoch(MambaEarlyStoppingMetric by, bool higherMetricIsBetter)
{
    private (double Loss, double Metric)? _best;

    /// <summary>Epochs since the best one.</summary>
    internal int Since { get; private set; }

    /// <summary>Whether this result is better than all before it.</summary>
    internal bool Offer((double Loss, double Metric) result)
    {
        var better = _best is not { } best || IsBetter(result, best);
        _best = better ? result : _best;
        Since = better ? 0 : Since + 1;
        return better;
    }

    private bool IsBetter((double Loss, double Metric) result, (double Loss, double Metric) best)
    {
        if (by == MambaEarlyStoppingMetric.Loss || result.Metric == best.Metric)
        {
            return result.Loss < best.Loss;
        }
        return higherMetricIsBetter ? result.Metric > best.Metric : result.Metric < best.Metric;
    }
}
