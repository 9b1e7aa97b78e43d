using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Sizes of a selective scan.</summary>
/// <param name="Batch">B, sequences, ≥ 0.</param>
/// <param name="Length">L, steps per sequence, ≥ 0.</param>
/// <param name="Channels">D, channels (DInner), ≥ 1.</param>
/// <param name="State">N, states per channel (DState), 1 to 256.</param>
/// <param name="Groups">G, groups of channels that share B and C; divides D. Channel c uses group c / (D / G). Mamba uses 1.</param>
public readonly record struct ScanDims(long Batch, long Length, long Channels, int State, int Groups = 1)
{
    /// <summary>The largest N that the kernels take.</summary>
    public const int MaxState = 256;

    /// <summary>Rows of the inputs: B·L.</summary>
    public long Steps => Batch * Length;

    /// <summary>Channels per group: D / G.</summary>
    public long ChannelsPerGroup => Channels / Groups;

    /// <summary>Refuses sizes that no scan has.</summary>
    /// <param name="operation">Name of the operation, for the message.</param>
    /// <exception cref="ArgumentException">A size is out of its range.</exception>
    internal void Require(string operation)
    {
        RequireAtLeast(operation, "Batch (B)", Batch, 0);
        RequireAtLeast(operation, "Length (L)", Length, 0);
        RequireAtLeast(operation, "Channels (D)", Channels, 1);
        if (State is < 1 or > MaxState)
        {
            Throw(operation, $"State (N) is {State}; expected 1 ≤ N ≤ {MaxState}.");
        }

        if (Groups < 1 || Channels % Groups != 0)
        {
            Throw(operation, $"Groups (G) is {Groups}; expected a divisor of D = {Channels}.");
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
