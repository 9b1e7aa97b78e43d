using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Sizes of a causal depthwise convolution.</summary>
/// <param name="Batch">B, sequences, ≥ 0.</param>
/// <param name="Length">L, steps per sequence, ≥ 0; may be shorter than the filter.</param>
/// <param name="Channels">D, channels (DInner), ≥ 1.</param>
/// <param name="Width">W, taps per channel (DConv), 2 to 8.</param>
public readonly record struct ConvDims(long Batch, long Length, long Channels, int Width)
{
    /// <summary>The smallest W that the kernels take.</summary>
    public const int MinWidth = 2;

    /// <summary>The largest W that the kernels take.</summary>
    public const int MaxWidth = 8;

    /// <summary>Rows of the inputs: B·L.</summary>
    public long Steps => Batch * Length;

    /// <summary>Steps before the start that the first output sees, and that a state holds: W - 1.</summary>
    public int History => Width - 1;

    /// <summary>Refuses sizes that no convolution has.</summary>
    /// <param name="operation">Name of the operation, for the message.</param>
    /// <exception cref="ArgumentException">A size is out of its range.</exception>
    internal void Require(string operation)
    {
        RequireAtLeast(operation, "Batch (B)", Batch, 0);
        RequireAtLeast(operation, "Length (L)", Length, 0);
        RequireAtLeast(operation, "Channels (D)", Channels, 1);
        if (Width is < MinWidth or > MaxWidth)
        {
            Throw(operation, $"Width (W) is {Width}; expected {MinWidth} ≤ W ≤ {MaxWidth}.");
        }
    }

    private static void RequireAtLeast(string operation, string name, long value, long least)
    {
        if (value < least)
        {
            Throw(operation, $"{name} is {value}; expected ≥ {least}.");
        }
    }

    [DoesNotReturn]
    private static void Throw(string operation, string text) => throw new ArgumentException($"{operation}: dims.{text}", "dims");
}
