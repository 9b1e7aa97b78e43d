using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// A, D and the delta bias laid out as the bodies read them, once per call: per tile N rows of A·log2(e), one of D, one of the
/// bias, each of <see cref="ScanTiles.Width"/> floats. Channels beyond the last are zeros and do no harm.
/// </summary>
internal sealed unsafe class ScanParameters : IDisposable
{
    private readonly Scratch _packed;
    private readonly int _state;
    private readonly int _width;

    public ScanParameters(in ScanTiles tiles, in ScanDims dims, Rows<float> a, Rows<float> d, Rows<float> deltaBias)
    {
        (_state, _width) = (dims.State, tiles.Width);
        _packed = Scratch.Rent(tiles.PerSequence * TileLength);
        for (long tile = 0; tile < tiles.PerSequence; tile++)
        {
            var (first, channels) = (tiles.FirstChannel(tile), tiles.Channels(tile));
            new Span<float>(Decay(tile), TileLength).Clear();
            Transpose(a, first, channels, Decay(tile), FastMath.Log2E);
            Copy(d, first, channels, Skip(tile));
            Copy(deltaBias, first, channels, Bias(tile));
        }
    }

    private int TileLength => ScanTiles.WholePages((_state + 2) * _width);

    /// <summary>A·log2(e): N rows.</summary>
    public float* Decay(long tile) => _packed.Pointer + tile * TileLength;

    /// <summary>D: one row.</summary>
    public float* Skip(long tile) => Decay(tile) + _state * _width;

    /// <summary>Delta bias: one row.</summary>
    public float* Bias(long tile) => Skip(tile) + _width;

    public void Dispose() => _packed.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transpose(Rows<float> a, long firstChannel, int channels, float* to, float factor)
    {
        for (var channel = 0; channel < channels; channel++)
        {
            var from = a.Row(firstChannel + channel);
            for (var n = 0; n < _state; n++)
            {
                to[n * _width + channel] = from[n] * factor;
            }
        }
    }

    private static void Copy(Rows<float> row, long firstChannel, int channels, float* to)
    {
        if (!row.IsAbsent)
        {
            new ReadOnlySpan<float>(row.Pointer + firstChannel, channels).CopyTo(new Span<float>(to, channels));
        }
    }
}
