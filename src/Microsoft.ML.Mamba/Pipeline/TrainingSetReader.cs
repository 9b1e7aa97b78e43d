using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the sequences of a data view, with their labels where there are any, into memory, once, and says what it left out.</summary>
internal sealed class TrainingSetReader(IHost host, IChannel channel, IBoundTask task, TrainerSettings settings)
{
    /// <summary>The rows that have a label, or all where none is needed, in order.</summary>
    /// <param name="data">The rows; its columns have been checked.</param>
    /// <param name="encoding">How sequences are read.</param>
    /// <param name="what">"training" or "validation", for messages.</param>
    /// <exception cref="InvalidOperationException">There are no such rows, a row cannot be read, or all sequences are empty.</exception>
    public SequenceSet Read(IDataView data, SequenceEncoding encoding, string what)
    {
        var sequenceColumn = data.Schema[settings.SequenceColumnName];
        var columns = task.LabelColumnName is { } labelName ? [sequenceColumn, data.Schema[labelName]] : new[] { sequenceColumn };
        var truncation = new TruncationPolicy(settings.Training.MaxLength, settings.Training.Truncation);
        var set = encoding.IsFrames ? SequenceSet.OfFrames(encoding.FrameWidth) : SequenceSet.OfIds();
        long rows = 0;

        using (var cursor = data.GetRowCursor(columns))
        {
            var sequence = SequenceReader.Create(cursor, sequenceColumn, encoding);
            var label = task.GetLabels(cursor);
            for (; cursor.MoveNext(); rows++)
            {
                if ((rows & 0xFF) == 0)
                    CheckAlive();
                if (!label(out var target))
                    continue;
                if (!float.IsFinite(target))
                    throw host.Except(string.Create(CultureInfo.InvariantCulture,
                        $"Label column '{task.LabelColumnName}', row {cursor.Position} (from 0) of the {what} data: the label is {target}; labels must be finite. Filter such rows out."));
                Add(set, sequence, target, cursor.Position, truncation, what);
            }
        }
        Check(set, rows, what);
        Warn(set, rows, truncation, what);
        return set;
    }

    public void CheckAlive()
    {
        settings.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    private void Add(SequenceSet set, SequenceReader sequence, float target, long row, TruncationPolicy truncation, string what)
    {
        try
        {
            sequence.AppendTo(set, truncation, target, row);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            throw host.Except(e, $"Sequence column '{settings.SequenceColumnName}', row {row} (from 0) of the {what} data: {e.Message}");
        }
    }

    private void Check(SequenceSet set, long rows, string what)
    {
        if (rows == 0)
            throw host.Except($"The {what} data has no rows.");
        if (set.Count == 0)
            throw host.Except($"All {rows} rows of the {what} data have a missing label in column '{task.LabelColumnName}'.");
        if (set.TotalLength == 0)
            throw host.Except($"All {set.Count} sequences of the {what} data in column '{settings.SequenceColumnName}' are empty.");
    }

    private void Warn(SequenceSet set, long rows, TruncationPolicy truncation, string what)
    {
        if (set.Count < rows)
            channel.Warning(string.Create(CultureInfo.InvariantCulture,
                $"Skipped {rows - set.Count} of {rows} rows of the {what} data, whose label in column '{task.LabelColumnName}' is missing."));
        if (truncation.Warning(set.Count) is { } cut)
            channel.Warning(cut);
    }
}
