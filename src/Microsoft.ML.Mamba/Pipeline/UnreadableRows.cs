namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Rows of a view whose sequence cannot be read: their scores are missing, and one warning tells how many there were. Throwing
/// would lose every row behind them, for data that a consumer may not even look at.
/// </summary>
internal sealed class UnreadableRows
{
    private long _count;
    private string _first = "";

    public void Add(Exception error)
    {
        if (_count++ == 0)
            _first = error.Message;
    }

    /// <summary>One sentence about all of them and the error of the first, or null when there was none.</summary>
    /// <param name="total">How many rows were seen.</param>
    public string? Warning(long total) => _count == 0
        ? null
        : FormattableString.Invariant($"{_count:N0} of {total:N0} rows could not be read; their scores are missing (NaN). The first: {_first}");
}
