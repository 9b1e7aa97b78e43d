using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Tests;

/// <summary>
/// Rows in memory of their own with gaps before, between and behind them. The gaps hold NaN: a kernel that reads one spoils its
/// result, and one that writes there is found by <see cref="AssertGapsUntouched"/>.
/// </summary>
internal sealed class RowsBuffer<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Edge = 5;

    private readonly NativeArray<T> _memory;
    private readonly int _gap;

    /// <summary>Rows filled with NaN, for outputs.</summary>
    public RowsBuffer(long count, long width, int gap)
    {
        _gap = gap;
        _memory = new NativeArray<T>(count * (width + gap) + 2 * Edge);
        _memory.AsSpan().Fill(T.NaN);
        Rows = _memory.AsRows(count, width, width + gap, Edge);
    }

    /// <summary>Rows that hold <paramref name="values"/>.</summary>
    public RowsBuffer(long count, long width, int gap, IReadOnlyList<double> values)
        : this(count, width, gap) => ForEach((index, at) => _memory[at] = T.CreateTruncating(values[index]));

    public Rows<T> Rows { get; }

    /// <summary>The elements in row order.</summary>
    public double[] ToArray()
    {
        var values = new double[Rows.Count * Rows.Width];
        ForEach((index, at) => values[index] = double.CreateTruncating(_memory[at]));
        return values;
    }

    public void AssertGapsUntouched(string what)
    {
        var inside = new HashSet<long>();
        ForEach((_, at) => inside.Add(at));
        for (long at = 0; at < _memory.Length; at++)
        {
            Assert.True(inside.Contains(at) || T.IsNaN(_memory[at]), $"{what}: element {at - Edge} from the first, outside the rows, was written.");
        }
    }

    public void Dispose() => _memory.Dispose();

    private void ForEach(Action<int, long> action)
    {
        for (var index = 0; index < Rows.Count * Rows.Width; index++)
        {
            action(index, Edge + index / Rows.Width * (Rows.Width + _gap) + index % Rows.Width);
        }
    }
}
