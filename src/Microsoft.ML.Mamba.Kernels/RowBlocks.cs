namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Rows (or columns) cut into blocks of equal size, the last one smaller. The cut depends on sizes only, never on the number of
/// threads: sums taken block by block have the same bits everywhere.
/// </summary>
/// <param name="Total">Number of rows.</param>
/// <param name="Size">Rows per block, ≥ 1.</param>
internal readonly record struct RowBlocks(long Total, long Size)
{
    public long Count => (Total + Size - 1) / Size;

    public long First(long block) => block * Size;

    public long End(long block) => Math.Min(Total, (block + 1) * Size);

    /// <summary>Blocks of about <paramref name="elements"/> elements.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <param name="elements">Elements per block that are worth a work item.</param>
    /// <param name="multiple">The size is a multiple of this.</param>
    public static RowBlocks OfElements(long rows, long width, long elements, long multiple = 1) =>
        new(rows, Math.Max(multiple, elements / Math.Max(1, width) / multiple * multiple));
}
