using System.Globalization;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The values that the model gives the rows of a set, each row its own. It is used again and again.</summary>
internal sealed class ScoreTable(SequenceScorer scorer)
{
    private int[] _starts = [0];
    private float[] _values = [];

    /// <summary>The values of a row: the model's output count, or as many for each position.</summary>
    public ReadOnlySpan<float> this[int row] => Row(row);

    /// <summary>Scores all sequences of a set.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public void Fill(SequenceSet set)
    {
        if (_starts.Length <= set.Count)
            _starts = new int[Math.Max(set.Count + 1, 2 * _starts.Length)];
        for (var row = 0; row < set.Count; row++)
            _starts[row + 1] = End(_starts[row], set.GetAnswers(row));
        if (_values.Length < _starts[set.Count])
            _values = new float[_starts[set.Count]];
        scorer.Score(set, Row);
    }

    /// <summary>A row without a sequence: missing values, or no positions.</summary>
    public void SetMissing(int row) => Row(row).Fill(float.NaN);

    private Span<float> Row(int row) => _values.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);

    private int End(int start, int length)
    {
        var end = start + ((scorer.Outputs.PerPosition ? length : 1L) * scorer.OutputCount);
        if (end > Array.MaxLength)
            throw scorer.Host.Except(string.Create(CultureInfo.InvariantCulture,
                $"A sequence has {length:N0} positions; a vector for each of {scorer.OutputCount} values is more than one row can hold. Cut it (MaxLength), or pool it."));
        return (int)end;
    }
}
