using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the sequences of a data view, with their labels where there are any, into memory, once, and says what it left out.</summary>
internal sealed class TrainingSetReader(IHost host, IChannel channel, IBoundTask task, TrainerSettings settings, Action checkAlive)
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
        long rows = 0, skipped = 0;

        using (var cursor = data.GetRowCursor(columns))
        {
            var labelled = task.CreateRows(cursor, sequenceColumn, encoding);
            for (; cursor.MoveNext(); rows++)
            {
                if ((rows & 0xFF) == 0)
                    checkAlive();
                skipped += Add(set, labelled, cursor.Position, truncation, what) ? 0 : 1;
            }
        }
        Check(set, rows, what);
        Warn(skipped, rows, truncation, what);
        return set;
    }

    private bool Add(SequenceSet set, ITrainingRows labelled, long row, TruncationPolicy truncation, string what)
    {
        try
        {
            return labelled.Add(set, truncation, row);
        }
        catch (LabelException e)
        {
            throw host.Except(e, $"Label column '{task.LabelColumnName}', row {row} (from 0) of the {what} data: {e.Message}");
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

    private void Warn(long skipped, long rows, TruncationPolicy truncation, string what)
    {
        if (skipped > 0)
            channel.Warning(string.Create(CultureInfo.InvariantCulture,
                $"Skipped {skipped} of {rows} rows of the {what} data, whose label in column '{task.LabelColumnName}' is missing."));
        if (truncation.Warning(rows - skipped) is { } cut)
            channel.Warning(cut);
    }
}
