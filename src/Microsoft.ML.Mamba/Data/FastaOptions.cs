namespace Microsoft.ML.Mamba;

/// <summary>How FASTA and FASTQ files become rows.</summary>
public sealed class FastaOptions
{
    /// <summary>Letters per window: each record becomes rows of so many letters, and a column <c>Start</c> tells where in the record. 0 (default): one row for each record.</summary>
    public int WindowLength { get; set; }

    /// <summary>Letters from the start of a window to that of the next. 0 (default): <see cref="WindowLength"/>, so that windows neither overlap nor leave gaps.</summary>
    public int WindowStride { get; set; }

    /// <summary>Whether the last window of a record is left out when it is shorter. Default false.</summary>
    public bool DropShortWindows { get; set; }

    /// <summary>Whether lower-case letters, which mask repeats, become upper-case. Default false: they stay as they are.</summary>
    public bool UpperCase { get; set; }

    /// <summary>
    /// The most letters that a record may have where it is held as a whole: without windows, and in FASTQ. A longer one is an error,
    /// so that no genome fills the memory unasked. Default 16,777,216.
    /// </summary>
    public int MaxSequenceLength { get; set; } = 1 << 24;

    internal int Stride => WindowStride > 0 ? WindowStride : WindowLength;

    internal FastaOptions Clone() => (FastaOptions)MemberwiseClone();

    internal IEnumerable<string> Violations()
    {
        if (WindowLength is < 0 or > 1 << 30)
            yield return FormattableString.Invariant($"WindowLength is {WindowLength}; expected 0 (no windows) to {1 << 30}.");
        if (WindowStride < 0)
            yield return FormattableString.Invariant($"WindowStride is {WindowStride}; expected 0 (WindowLength) or more.");
        if (WindowLength == 0 && (WindowStride != 0 || DropShortWindows))
            yield return "WindowStride or DropShortWindows is set, but WindowLength is 0; expected 1 or more.";
        if (MaxSequenceLength is < 1 or > 1 << 30)
            yield return FormattableString.Invariant($"MaxSequenceLength is {MaxSequenceLength}; expected 1 to {1 << 30}.");
    }
}
