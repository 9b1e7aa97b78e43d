using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Tests.Support;

/// <summary>Rows with gaps between them and margins around, all filled with one number, so that a write outside the rows, or an output that is not written, shows.</summary>
internal sealed class GuardedRows<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Margin = 16;

    private static readonly T Guard = T.CreateChecked(-72500000);

    private readonly NativeArray<T> _memory;
    private readonly int _stride;
    private readonly int _count;
    private readonly int _width;

    /// <param name="count">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <param name="gap">Elements between rows.</param>
    /// <param name="values">Contents, row by row; null for an output.</param>
    public GuardedRows(long count, long width, int gap = 0, double[]? values = null)
    {
        (_count, _width, _stride) = ((int)count, (int)width, (int)width + gap);
        _memory = new NativeArray<T>(2 * Margin + _count * _stride);
        _memory.AsSpan().Fill(Guard);
        for (var i = 0; values is not null && i < _count * _width; i++)
        {
            _memory[Index(i)] = T.CreateChecked(values[i]);
        }
    }

    public Rows<T> Rows => _memory.AsRows(_count, _width, _stride, Margin);

    /// <summary>The rows' elements without the gaps; asserts that everything else is as it was.</summary>
    /// <param name="what">Name of the argument, for the message.</param>
    public double[] Read(string what)
    {
        var values = new double[_count * _width];
        var all = _memory.AsSpan();
        for (int i = 0, next = 0; i < all.Length; i++)
        {
            if (next < values.Length && i == Index(next))
            {
                values[next++] = double.CreateChecked(all[i]);
            }
            else if (all[i] != Guard)
            {
                Assert.Fail($"{what}: element {i - Margin}, outside the rows, was written: {all[i]}.");
            }
        }

        return values;
    }

    public void Dispose() => _memory.Dispose();

    private int Index(int i) => Margin + i / _width * _stride + i % _width;
}
