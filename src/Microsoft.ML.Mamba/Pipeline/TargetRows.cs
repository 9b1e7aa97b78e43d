using System.Globalization;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Rows whose label is one number.</summary>
internal sealed class TargetRows(SequenceReader sequence, LabelGetter label) : ITrainingRows
{
    public bool Add(SequenceSet set, TruncationPolicy truncation, long row)
    {
        if (!label(out var target))
            return false;
        if (!float.IsFinite(target))
            throw new LabelException(string.Create(CultureInfo.InvariantCulture, $"the label is {target}; labels must be finite. Filter such rows out."));
        sequence.AppendTo(set, truncation, target, row);
        return true;
    }
}
