using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// What every tile of a convolution reads: W rows of taps and one of bias, channel-last (the caller's taps are (D, W)), and a
/// row of zeros for inputs that do not exist. Rows lie <see cref="Stride"/> floats apart.
/// </summary>
internal readonly unsafe struct ConvTaps
{
    private readonly int _width;

    /// <summary>Lays out the taps in <paramref name="memory"/>, <see cref="Length"/> floats.</summary>
    public ConvTaps(in ConvDims dims, Rows<float> weight, Rows<float> bias, float* memory)
    {
        Taps = memory;
        _width = dims.Width;
        Stride = PooledFloats.Padded(dims.Channels);
        for (long c = 0; c < dims.Channels; c++)
        {
            var taps = weight.Row(c);
            for (var j = 0; j < dims.Width; j++)
            {
                memory[j * Stride + c] = taps[j];
            }
        }

        var bytes = (nuint)dims.Channels * sizeof(float);
        NativeMemory.Clear(Zeros, bytes);
        NativeMemory.Copy(bias.IsAbsent ? Zeros : bias.Pointer, Bias, bytes);
    }

    public long Stride { get; }

    /// <summary>Tap j of channel c is at [j·Stride + c]; the bias follows as row W.</summary>
    public float* Taps { get; }

    public float* Bias => Taps + _width * Stride;

    public float* Zeros => Taps + (_width + 1) * Stride;

    /// <summary>Floats that the layout takes.</summary>
    public static long Length(in ConvDims dims) => (dims.Width + 2) * PooledFloats.Padded(dims.Channels);
}
