namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Sequences of one batch side by side, right-padded with id 0 or zero frames to the length of the longest. Padding is
/// found by <see cref="Lengths"/> alone.
/// </summary>
internal sealed class PaddedBatch
{
    private PaddedBatch(int rows, int length, int frameWidth)
    {
        Rows = rows;
        Length = length;
        FrameWidth = frameWidth;
        Lengths = new int[rows];
        Targets = new float[rows];
        RowIndex = new int[rows];
        Labels = new int[]?[rows];
    }

    internal int Rows { get; }

    /// <summary>Positions per row, padding included; at least 1, so that a batch of empty sequences has a shape.</summary>
    internal int Length { get; }

    /// <summary>Floats per frame; 0 for ids.</summary>
    internal int FrameWidth { get; }

    /// <summary>(Rows, Length), or null for frames.</summary>
    internal int[]? Ids { get; private init; }

    /// <summary>(Rows, Length, FrameWidth), or null for ids.</summary>
    internal float[]? Frames { get; private init; }

    /// <summary>The real positions of each row, 0 to Length.</summary>
    internal int[] Lengths { get; }

    internal float[] Targets { get; }

    /// <summary>The labels of each row beyond its target (<see cref="SequenceSet.LabelLast"/>), or null. The arrays are not to be changed, but others may take their places.</summary>
    internal int[]?[] Labels { get; }

    /// <summary>Where each row stands in the set that it came from.</summary>
    internal int[] RowIndex { get; }

    /// <summary>Real positions in all rows together.</summary>
    internal long RealPositions
    {
        get
        {
            long sum = 0;
            foreach (var length in Lengths)
            {
                sum += length;
            }
            return sum;
        }
    }

    /// <summary>The batch of some rows of a set, in the order given.</summary>
    internal static PaddedBatch Gather(SequenceSet set, ReadOnlySpan<int> rows)
    {
        var longest = 1;
        foreach (var row in rows)
        {
            longest = Math.Max(longest, set.GetLength(row));
        }
        var width = set.FrameWidth;
        var batch = set.Kind == SequenceKind.Ids
            ? new PaddedBatch(rows.Length, longest, 0) { Ids = new int[checked(rows.Length * longest)] }
            : new PaddedBatch(rows.Length, longest, width) { Frames = new float[checked(rows.Length * longest * width)] };
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            batch.RowIndex[i] = row;
            batch.Lengths[i] = set.GetLength(row);
            batch.Targets[i] = set.GetTarget(row);
            batch.Labels[i] = set.GetLabels(row);
            if (batch.Ids is { } ids)
            {
                set.CopyIds(row, ids.AsSpan(i * longest, longest));
            }
            else
            {
                set.CopyFrames(row, batch.Frames.AsSpan(i * longest * width, longest * width));
            }
        }
        return batch;
    }

    /// <summary>A batch of zero frames for the same rows and targets, whose rows have other lengths.</summary>
    internal PaddedBatch FramesOfLengths(int[] lengths)
    {
        var longest = Math.Max(1, lengths.Max());
        var other = new PaddedBatch(Rows, longest, FrameWidth) { Frames = new float[checked(Rows * longest * FrameWidth)] };
        lengths.CopyTo(other.Lengths, 0);
        Targets.CopyTo(other.Targets, 0);
        RowIndex.CopyTo(other.RowIndex, 0);
        Labels.CopyTo(other.Labels, 0);
        return other;
    }

    /// <summary>Brings the labels of positions to the lengths of their rows.</summary>
    internal void StretchLabels()
    {
        for (var i = 0; i < Rows; i++)
        {
            if (Labels[i] is { } labels && labels.Length != Lengths[i])
            {
                Labels[i] = PositionLabels.Stretched(labels, Lengths[i]);
            }
        }
    }

    /// <summary>This batch twice: its rows, then the reverse complement of each, in the same order.</summary>
    internal PaddedBatch WithReverseComplements(SequenceTokenizer tokenizer)
    {
        var both = new PaddedBatch(2 * Rows, Length, 0) { Ids = [.. Ids!, .. Ids!] };
        for (var i = 0; i < Rows; i++)
        {
            both.Lengths[i] = both.Lengths[Rows + i] = Lengths[i];
            both.Targets[i] = both.Targets[Rows + i] = Targets[i];
            both.RowIndex[i] = both.RowIndex[Rows + i] = RowIndex[i];
            both.Labels[i] = both.Labels[Rows + i] = Labels[i];
            DnaAugmentation.ReverseComplement(both.Ids.AsSpan((Rows + i) * Length, Lengths[i]), tokenizer);
        }
        return both;
    }
}
