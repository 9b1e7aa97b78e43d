namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Arguments of <see cref="CausalConv1d.Step"/>: one step of B sequences.</summary>
/// <typeparam name="T">Element type: <see cref="float"/> for the fast body, <see cref="double"/> also for the reference.</typeparam>
public readonly struct CausalConv1dStep<T>
    where T : unmanaged
{
    /// <summary>Sizes; <see cref="ConvDims.Length"/> must be 1.</summary>
    public ConvDims Dims { get; init; }

    /// <summary>In and out: the last W-1 inputs of each sequence, oldest first, (B·(W-1), D). The oldest leaves, x enters.</summary>
    public Rows<T> State { get; init; }

    /// <summary>x, (B, D), any row stride.</summary>
    public Rows<T> X { get; init; }

    /// <summary>Filter taps, (D, W), the oldest input's first.</summary>
    public Rows<T> Weight { get; init; }

    /// <summary>Bias, (1, D), or absent for zeros.</summary>
    public Rows<T> Bias { get; init; }

    /// <summary>True to pass the sums through SiLU.</summary>
    public bool Silu { get; init; }

    /// <summary>Output: y, (B, D), any row stride.</summary>
    public Rows<T> Y { get; init; }

    internal void Require(string operation)
    {
        Dims.Require(operation);
        if (Dims.Length != 1)
        {
            throw new ArgumentException($"{operation}: dims.Length (L) is {Dims.Length}; expected 1. For more steps call CausalConv1d.Forward.", "dims");
        }

        State.RequireOutput(operation, "state", "(B·(W-1), D)", Dims.Batch * Dims.History, Dims.Channels);
        X.Require(operation, "x", "(B, D)", Dims.Batch, Dims.Channels);
        Weight.Require(operation, "weight", "(D, W)", Dims.Channels, Dims.Width);
        Bias.RequireIfPresent(operation, "bias", "(1, D)", 1, Dims.Channels);
        Y.RequireOutput(operation, "y", "(B, D)", Dims.Batch, Dims.Channels);
        Y.RequireApart(operation, "y", "x", X);
    }
}
