using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Sums over rows of what metrics of segments are made from.</summary>
internal sealed class SegmentTotals
{
    private double _editScores;
    private long _rows;

    public long True { get; private set; }

    public long Predicted { get; private set; }

    public long Right { get; private set; }

    public long Edits { get; private set; }

    /// <summary>The mean over rows of 1 - distance / the longer of the two; rows without segments on both sides count 1.</summary>
    public double EditScore => _editScores / _rows;

    public void Add(List<LabelSegment> truth, List<LabelSegment> predicted, double overlap)
    {
        var distance = LabelSegments.EditDistance(truth, predicted);
        var longer = Math.Max(truth.Count, predicted.Count);
        True += truth.Count;
        Predicted += predicted.Count;
        Right += LabelSegments.Matches(truth, predicted, overlap);
        Edits += distance;
        _editScores += longer == 0 ? 1 : 1 - ((double)distance / longer);
        _rows++;
    }
}
