namespace Microsoft.ML.Mamba;

/// <summary>How well a model gives one label to positions, or words. Immutable.</summary>
public sealed class SequenceTagMetrics
{
    internal SequenceTagMetrics(string name, long support, long predicted, long right)
    {
        Name = name;
        Support = support;
        Predicted = predicted;
        RightlyPredicted = right;
    }

    /// <summary>The label; its number, from 0, where labels have no names.</summary>
    public string Name { get; }

    /// <summary>Positions that have the label.</summary>
    public long Support { get; }

    /// <summary>Positions that were given it.</summary>
    public long Predicted { get; }

    /// <summary>Positions of both kinds.</summary>
    public long RightlyPredicted { get; }

    /// <summary>The share of right ones among those that were given the label; 0 where there are none.</summary>
    public double Precision => Predicted == 0 ? 0 : (double)RightlyPredicted / Predicted;

    /// <summary>The share of right ones among those that have the label; 0 where there are none.</summary>
    public double Recall => Support == 0 ? 0 : (double)RightlyPredicted / Support;

    /// <summary>The harmonic mean of precision and recall; 0 where the label neither occurs nor was given.</summary>
    public double F1 => MultilabelTagMetrics.F1Of(RightlyPredicted, Predicted, Support);
}
