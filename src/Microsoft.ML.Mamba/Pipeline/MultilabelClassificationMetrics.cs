using System.Globalization;
using System.Text;

namespace Microsoft.ML.Mamba;

/// <summary>
/// How well a model tells the tags of sequences. Ranking metrics look at scores, the others at decisions (scores that reach their
/// tag's threshold). Immutable.
/// </summary>
public sealed class MultilabelClassificationMetrics
{
    internal MultilabelClassificationMetrics(IReadOnlyList<MultilabelTagMetrics> tags, long rows, double labelRankingAveragePrecision, double exactMatch)
    {
        Tags = tags;
        RowCount = rows;
        LabelRankingAveragePrecision = labelRankingAveragePrecision;
        ExactMatch = exactMatch;
        MeanAveragePrecision = tags.Where(t => t.Support > 0).Select(t => t.AveragePrecision).DefaultIfEmpty(double.NaN).Average();
        MacroF1 = tags.Average(t => t.F1);
        MicroF1 = MultilabelTagMetrics.F1Of(tags.Sum(t => t.RightlyPredicted), tags.Sum(t => t.Predicted), tags.Sum(t => t.Support));
        HammingLoss = tags.Sum(t => t.Predicted + t.Support - (2 * t.RightlyPredicted)) / ((double)rows * tags.Count);
    }

    /// <summary>The metrics of each tag, in the order of the score column.</summary>
    public IReadOnlyList<MultilabelTagMetrics> Tags { get; }

    /// <summary>Rows compared.</summary>
    public long RowCount { get; }

    /// <summary>
    /// The mean of the tags' average precisions (macro), over the tags that at least one row has; the others have none. NaN when no row
    /// has a tag. (<c>average_precision_score</c> of scikit-learn with average = "macro", which counts such tags as 0.)
    /// </summary>
    public double MeanAveragePrecision { get; }

    /// <summary>
    /// For each tag that a row has, the share of its tags among all that score as high or higher; the mean over its tags, then over
    /// rows. Rows with no tag or with all count 1. (<c>label_ranking_average_precision_score</c> of scikit-learn.)
    /// </summary>
    public double LabelRankingAveragePrecision { get; }

    /// <summary>F1 of all decisions taken together.</summary>
    public double MicroF1 { get; }

    /// <summary>The mean of the F1 of all tags; one that is neither there nor predicted counts 0, as in scikit-learn.</summary>
    public double MacroF1 { get; }

    /// <summary>The share of rows whose decisions are all right.</summary>
    public double ExactMatch { get; }

    /// <summary>The share of decisions that are wrong.</summary>
    public double HammingLoss { get; }

    /// <summary>The metrics as a table for people.</summary>
    public override string ToString()
    {
        var width = Math.Max(3, Tags.Max(t => t.Name.Length));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{RowCount:N0} rows, {Tags.Count} tags");
        text.AppendLine(CultureInfo.InvariantCulture, $"mean average precision {MeanAveragePrecision:F4}, label-ranking average precision {LabelRankingAveragePrecision:F4}");
        text.AppendLine(CultureInfo.InvariantCulture, $"micro F1 {MicroF1:F4}, macro F1 {MacroF1:F4}, exact match {ExactMatch:F4}, Hamming loss {HammingLoss:F4}");
        text.Append(CultureInfo.InvariantCulture, $"{"tag".PadRight(width)}  precision  recall      F1  avg.prec.     AUC  support");
        foreach (var tag in Tags)
        {
            text.AppendLine();
            text.Append(CultureInfo.InvariantCulture, $"{tag.Name.PadRight(width)}  {tag.Precision,9:F4}  {tag.Recall,6:F4}  {tag.F1,6:F4}  {tag.AveragePrecision,9:F4}  {tag.AreaUnderRocCurve,6:F4}  {tag.Support,7:N0}");
        }
        return text.ToString();
    }
}
