namespace Microsoft.ML.Mamba;

/// <summary>How well a model tells one tag. Immutable.</summary>
public sealed class MultilabelTagMetrics
{
    internal MultilabelTagMetrics(string name, long support, long predicted, long right, double averagePrecision, double areaUnderRocCurve)
    {
        Name = name;
        Support = support;
        Predicted = predicted;
        RightlyPredicted = right;
        AveragePrecision = averagePrecision;
        AreaUnderRocCurve = areaUnderRocCurve;
    }

    /// <summary>The tag; its number, from 0, where tags have no names.</summary>
    public string Name { get; }

    /// <summary>Rows that have the tag.</summary>
    public long Support { get; }

    /// <summary>Rows that the model gives the tag.</summary>
    public long Predicted { get; }

    /// <summary>Rows of both kinds.</summary>
    public long RightlyPredicted { get; }

    /// <summary>The share of rightly predicted rows among the predicted ones; 0 where there are none.</summary>
    public double Precision => Predicted == 0 ? 0 : (double)RightlyPredicted / Predicted;

    /// <summary>The share of rightly predicted rows among those that have the tag; 0 where there are none.</summary>
    public double Recall => Support == 0 ? 0 : (double)RightlyPredicted / Support;

    /// <summary>The harmonic mean of precision and recall; 0 where the tag is neither there nor predicted.</summary>
    public double F1 => F1Of(RightlyPredicted, Predicted, Support);

    /// <summary>
    /// The sum, over distinct scores from the highest down, of the recall gained times the precision there, without interpolation; rows
    /// of equal score come in together. NaN when no row has the tag.
    /// </summary>
    public double AveragePrecision { get; }

    /// <summary>The chance that a row with the tag scores higher than one without it, equal scores counting half. NaN when all rows have it or none.</summary>
    public double AreaUnderRocCurve { get; }

    internal static double F1Of(long right, long predicted, long support) => predicted + support == 0 ? 0 : 2.0 * right / (predicted + support);
}
