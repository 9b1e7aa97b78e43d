using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Labelled sequences in memory, compactly: ids as <c>ushort</c> (as <c>int</c> from the first id above 65,535 on), frames
/// as <c>float</c>, in large blocks, so that the set may hold more than 2^31 elements. A sequence lies in one block.
/// Ids, frames and targets are checked as they come in, so everything downstream can rely on them.
/// </summary>
internal sealed class SequenceSet
{
    private const int BlockElements = 1 << 20;
    private const int FirstBlockElements = 1 << 12;

    private readonly List<Array> _blocks = [];
    private readonly List<Place> _places = [];
    private readonly List<int[]?> _labels = [];
    private int _filled;

    private SequenceSet(SequenceKind kind, int frameWidth)
    {
        Kind = kind;
        FrameWidth = frameWidth;
    }

    internal SequenceKind Kind { get; }

    /// <summary>Floats per frame; 0 for ids.</summary>
    internal int FrameWidth { get; }

    internal int Count => _places.Count;

    /// <summary>Positions in all sequences together.</summary>
    internal long TotalLength { get; private set; }

    /// <summary>Positions in the longest sequence; 0 when there is none.</summary>
    internal int LongestLength { get; private set; }

    /// <summary>The largest id; -1 when there is none.</summary>
    internal int MaxId { get; private set; } = -1;

    internal static SequenceSet OfIds() => new(SequenceKind.Ids, 0);

    /// <param name="frameWidth">Floats per frame, at least 1.</param>
    internal static SequenceSet OfFrames(int frameWidth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameWidth, 1);
        return new SequenceSet(SequenceKind.Frames, frameWidth);
    }

    /// <summary>Adds a sequence of ids.</summary>
    /// <param name="ids">Its ids, each ≥ 0; may be empty.</param>
    /// <param name="target">Class index, 0/1 or number to learn; finite.</param>
    /// <param name="sourceRow">The row it came from, which windows of one sequence share; -1 = its place in this set.</param>
    /// <exception cref="InvalidOperationException">A negative id, or a target that is not finite; the message names the row.</exception>
    internal void AddIds(ReadOnlySpan<int> ids, float target, long sourceRow = -1)
    {
        CheckKind(SequenceKind.Ids);
        CheckTarget(target, sourceRow);
        var largest = LargestId(ids, sourceRow);
        if (largest <= ushort.MaxValue && (_blocks.Count == 0 || _blocks[^1] is ushort[]))
        {
            var block = Reserve<ushort>(ids.Length);
            for (var i = 0; i < ids.Length; i++)
            {
                block[i] = (ushort)ids[i];
            }
        }
        else
        {
            ids.CopyTo(Reserve<int>(ids.Length));
        }
        MaxId = Math.Max(MaxId, largest);
        Append(ids.Length, ids.Length, target, sourceRow);
    }

    /// <summary>Adds a sequence of frames.</summary>
    /// <param name="frames">Its frames one after the other, each <see cref="FrameWidth"/> finite floats; may be empty.</param>
    /// <param name="target">Class index, 0/1 or number to learn; finite.</param>
    /// <param name="sourceRow">The row it came from, which windows of one sequence share; -1 = its place in this set.</param>
    /// <exception cref="InvalidOperationException">A value that is not finite, or a ragged last frame; the message names the row.</exception>
    internal void AddFrames(ReadOnlySpan<float> frames, float target, long sourceRow = -1)
    {
        CheckKind(SequenceKind.Frames);
        CheckTarget(target, sourceRow);
        CheckFrames(frames, sourceRow);
        frames.CopyTo(Reserve<float>(frames.Length));
        Append(frames.Length, frames.Length / FrameWidth, target, sourceRow);
    }

    /// <summary>
    /// Gives the sequence that was added last labels beyond its target. Of models that answer for each position: the class of
    /// each, -1 where it is not asked for. Of several tags: 1 or 0 for each.
    /// </summary>
    /// <param name="labels">The labels; the set keeps the array.</param>
    internal void LabelLast(int[] labels) => _labels[^1] = labels;

    /// <summary>Forgets all sequences and keeps the memory of one block for the next ones.</summary>
    internal void Clear()
    {
        if (_blocks.Count > 1)
        {
            _blocks.RemoveRange(0, _blocks.Count - 1);
        }
        _places.Clear();
        _labels.Clear();
        _filled = 0;
        TotalLength = 0;
        LongestLength = 0;
        MaxId = -1;
    }

    /// <summary>Positions of one sequence.</summary>
    internal int GetLength(int row) => _places[row].Length;

    internal float GetTarget(int row) => _places[row].Target;

    /// <summary>The row that one sequence came from: the same for all windows of a longer one.</summary>
    internal long GetSourceRow(int row) => _places[row].SourceRow;

    /// <summary>What <see cref="LabelLast"/> gave one sequence; null: nothing. Not to be changed.</summary>
    internal int[]? GetLabels(int row) => _labels[row];

    /// <summary>How many positions of one sequence are asked for: those with a label where there are labels, else all.</summary>
    internal int GetAnswers(int row) => PositionLabels.Asked(_labels[row], _places[row].Length);

    /// <summary>Writes the ids of one sequence to the start of <paramref name="destination"/>.</summary>
    internal void CopyIds(int row, Span<int> destination)
    {
        var place = _places[row];
        if (_blocks[place.Block] is ushort[] small)
        {
            var ids = small.AsSpan(place.Offset, place.Length);
            for (var i = 0; i < ids.Length; i++)
            {
                destination[i] = ids[i];
            }
        }
        else
        {
            ((int[])_blocks[place.Block]).AsSpan(place.Offset, place.Length).CopyTo(destination);
        }
    }

    /// <summary>Writes the frames of one sequence to the start of <paramref name="destination"/>.</summary>
    internal void CopyFrames(int row, Span<float> destination)
    {
        var place = _places[row];
        ((float[])_blocks[place.Block]).AsSpan(place.Offset, place.Length * FrameWidth).CopyTo(destination);
    }

    /// <summary>Some of the sequences, in the order given. The blocks are shared, so neither set may be added to afterwards.</summary>
    internal SequenceSet Subset(ReadOnlySpan<int> rows)
    {
        var subset = new SequenceSet(Kind, FrameWidth) { MaxId = MaxId };
        subset._blocks.AddRange(_blocks);
        subset._filled = _filled;
        foreach (var row in rows)
        {
            var place = _places[row];
            subset._places.Add(place);
            subset._labels.Add(_labels[row]);
            subset.TotalLength += place.Length;
            subset.LongestLength = Math.Max(subset.LongestLength, place.Length);
        }
        return subset;
    }

    private Span<T> Reserve<T>(int elements)
    {
        if (_blocks.Count == 0 || _blocks[^1] is not T[] last || last.Length - _filled < elements)
        {
            // Small sets stay small, large sets get large blocks.
            var size = _blocks.Count == 0 ? FirstBlockElements : Math.Min(BlockElements, 2L * _blocks[^1].Length);
            _blocks.Add(new T[Math.Max(size, elements)]);
            _filled = 0;
        }
        return ((T[])_blocks[^1]).AsSpan(_filled, elements);
    }

    private void Append(int elements, int length, float target, long sourceRow)
    {
        _places.Add(new Place(_blocks.Count - 1, _filled, length, target, sourceRow >= 0 ? sourceRow : Count));
        _labels.Add(null);
        _filled += elements;
        TotalLength += length;
        LongestLength = Math.Max(LongestLength, length);
    }

    private int LargestId(ReadOnlySpan<int> ids, long sourceRow)
    {
        var largest = -1;
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] < 0)
            {
                ThrowBadRow(sourceRow, $"the id at position {i} is {ids[i]}; ids must be ≥ 0.");
            }
            largest = Math.Max(largest, ids[i]);
        }
        return largest;
    }

    private void CheckFrames(ReadOnlySpan<float> frames, long sourceRow)
    {
        if (frames.Length % FrameWidth != 0)
        {
            ThrowBadRow(sourceRow, $"{frames.Length} values are no whole number of frames of {FrameWidth}.");
        }
        for (var i = 0; i < frames.Length; i++)
        {
            if (!float.IsFinite(frames[i]))
            {
                ThrowBadRow(sourceRow, $"frame {i / FrameWidth} holds {frames[i]} at index {i % FrameWidth}; frames must be finite.");
            }
        }
    }

    private void CheckTarget(float target, long sourceRow)
    {
        if (!float.IsFinite(target))
        {
            ThrowBadRow(sourceRow, $"the label is {target}; labels must be finite. Filter such rows out or replace their labels.");
        }
    }

    private void CheckKind(SequenceKind kind)
    {
        if (Kind != kind)
        {
            throw new InvalidOperationException($"SequenceSet: a set of {Kind} cannot take {kind}.");
        }
    }

    [DoesNotReturn]
    private void ThrowBadRow(long sourceRow, string what) =>
        throw new InvalidOperationException(FormattableString.Invariant($"Row {(sourceRow >= 0 ? sourceRow : Count)}: {what}"));

    private readonly record struct Place(int Block, int Offset, int Length, float Target, long SourceRow);
}
