using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Moves the states of a tile, N rows of <c>width</c> floats, between scratch memory and the caller's layouts.</summary>
internal static unsafe class ScanStates
{
    /// <summary>From rows of states, (B·D, N); zeros when absent and beyond the last channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(Rows<float> states, long firstRow, int channels, int state, int width, float* to)
    {
        new Span<float>(to, state * width).Clear();
        for (var channel = 0; channel < channels && !states.IsAbsent; channel++)
        {
            var from = states.Row(firstRow + channel);
            for (var n = 0; n < state; n++)
            {
                to[n * width + channel] = from[n];
            }
        }
    }

    /// <summary>To rows of states, (B·D, N); nothing when absent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(float* from, int width, Rows<float> states, long firstRow, int channels, int state)
    {
        for (var channel = 0; channel < channels && !states.IsAbsent; channel++)
        {
            var to = states.Row(firstRow + channel);
            for (var n = 0; n < state; n++)
            {
                to[n] = from[n * width + channel];
            }
        }
    }

    /// <summary>Copies <paramref name="rows"/> rows of <paramref name="channels"/> floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRows(float* from, long fromStride, float* to, long toStride, int rows, int channels)
    {
        for (var row = 0; row < rows; row++)
        {
            new ReadOnlySpan<float>(from + row * fromStride, channels).CopyTo(new Span<float>(to + row * toStride, channels));
        }
    }
}
