namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Cuts sequences to a longest length and counts those it cut, so that one warning can tell of all of them. Lengths are in
/// positions: a frame counts as one position whatever its width. Counting is safe from several threads.
/// </summary>
internal sealed class TruncationPolicy
{
    private long _truncatedCount;

    /// <param name="maxLength">The longest length, or 0 for no limit.</param>
    /// <param name="truncation">Which part stays.</param>
    internal TruncationPolicy(int maxLength, SequenceTruncation truncation)
    {
        MaxLength = maxLength;
        Truncation = truncation;
    }

    internal int MaxLength { get; }

    internal SequenceTruncation Truncation { get; }

    /// <summary>How many sequences were cut so far.</summary>
    internal long TruncatedCount => Interlocked.Read(ref _truncatedCount);

    /// <summary>The part of a sequence that stays.</summary>
    /// <param name="sequence">Ids (width 1) or frames, position after position.</param>
    /// <param name="width">Elements per position.</param>
    internal ReadOnlySpan<T> Apply<T>(ReadOnlySpan<T> sequence, int width = 1)
    {
        var length = sequence.Length / width;
        if (MaxLength == 0 || length <= MaxLength)
        {
            return sequence;
        }
        Interlocked.Increment(ref _truncatedCount);
        var start = Truncation switch
        {
            SequenceTruncation.Head => 0,
            SequenceTruncation.Tail => length - MaxLength,
            _ => (length - MaxLength) / 2,
        };
        return sequence.Slice(start * width, MaxLength * width);
    }

    /// <summary>One sentence about all sequences cut so far, or null when there was none.</summary>
    /// <param name="total">How many sequences were seen.</param>
    internal string? Warning(long total) => TruncatedCount == 0
        ? null
        : FormattableString.Invariant(
            $"{TruncatedCount:N0} of {total:N0} sequences were longer than {MaxLength:N0} positions and were cut ({Kept}). Raise MaxLength to use them whole.");

    private string Kept => Truncation switch
    {
        SequenceTruncation.Head => "the start was kept",
        SequenceTruncation.Tail => "the end was kept",
        _ => "the middle was kept",
    };
}
