using System.Globalization;
using System.Text;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba;

/// <summary>
/// How well a model labels positions, or words. Positions without a true label are left out of everything. A segment is a longest run of
/// positions of one label in a row; those of the background label are none. Immutable.
/// </summary>
public sealed class SequenceTaggingMetrics
{
    internal SequenceTaggingMetrics(ConfusionCounts counts, IReadOnlyList<string> names, long rows, SegmentTotals segments, double? entityF1)
    {
        RowCount = rows;
        PositionCount = counts.Total;
        Accuracy = counts.Accuracy;
        MacroF1 = counts.MacroF1;
        Classes = Array.AsReadOnly(names.Select((name, i) => new SequenceTagMetrics(name, counts.Support(i), counts.Predicted(i), counts[i, i])).ToArray());
        ConfusionMatrix = Array.AsReadOnly(Enumerable.Range(0, names.Count)
            .Select(i => (IReadOnlyList<long>)Array.AsReadOnly(Enumerable.Range(0, names.Count).Select(j => counts[i, j]).ToArray())).ToArray());
        SegmentCount = segments.True;
        SegmentF1 = MultilabelTagMetrics.F1Of(segments.Right, segments.Predicted, segments.True);
        SegmentErrorRate = (double)segments.Edits / segments.True;
        EditScore = segments.EditScore;
        EntityF1 = entityF1;
    }

    /// <summary>Rows compared.</summary>
    public long RowCount { get; }

    /// <summary>Positions, or words, compared.</summary>
    public long PositionCount { get; }

    /// <summary>The share of positions whose label is right.</summary>
    public double Accuracy { get; }

    /// <summary>The mean F1 of the labels that occur or were given.</summary>
    public double MacroF1 { get; }

    /// <summary>The metrics of each label, in the order of the model's keys.</summary>
    public IReadOnlyList<SequenceTagMetrics> Classes { get; }

    /// <summary>How many positions of each true label (first index) were given each label (second index).</summary>
    public IReadOnlyList<IReadOnlyList<long>> ConfusionMatrix { get; }

    /// <summary>True segments.</summary>
    public long SegmentCount { get; }

    /// <summary>
    /// F1 of segments. A given segment is right when it and a true one of its label share at least half of the positions that the two
    /// cover together; each true one counts once (F1@50 of Lea and others 2017).
    /// </summary>
    public double SegmentF1 { get; }

    /// <summary>
    /// The fewest insertions, deletions and exchanges that turn the labels of the given segments into those of the true ones, over all rows,
    /// divided by the number of true segments; lower is better (the syllable error of birdsong, the word error of speech). Infinite or NaN
    /// without true segments.
    /// </summary>
    public double SegmentErrorRate { get; }

    /// <summary>The mean over rows of 1 - (that number of edits) / (the larger number of segments); higher is better (the edit score of action segmentation, as a fraction).</summary>
    public double EditScore { get; }

    /// <summary>
    /// Where all labels are B-TYPE, I-TYPE or O: F1 of entities, of which start, end and type must all be right. An entity begins with B; an
    /// I that goes on from nothing is none (strict IOB2, as seqeval). Null for other labels.
    /// </summary>
    public double? EntityF1 { get; }

    /// <summary>The metrics as a table for people.</summary>
    public override string ToString()
    {
        var width = Math.Max(5, Classes.Max(c => c.Name.Length));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{RowCount:N0} rows, {PositionCount:N0} positions, {SegmentCount:N0} segments");
        text.AppendLine(CultureInfo.InvariantCulture, $"accuracy {Accuracy:F4}, macro F1 {MacroF1:F4}{(EntityF1 is { } entities ? FormattableString.Invariant($", entity F1 {entities:F4}") : "")}");
        text.AppendLine(CultureInfo.InvariantCulture, $"segment F1 {SegmentF1:F4}, segment error rate {SegmentErrorRate:F4}, edit score {EditScore:F4}");
        text.Append(CultureInfo.InvariantCulture, $"{"label".PadRight(width)}  precision  recall      F1    support");
        foreach (var label in Classes)
        {
            text.AppendLine();
            text.Append(CultureInfo.InvariantCulture, $"{label.Name.PadRight(width)}  {label.Precision,9:F4}  {label.Recall,6:F4}  {label.F1,6:F4}  {label.Support,9:N0}");
        }
        return text.ToString();
    }
}
