namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Arguments of <see cref="CausalConv1d.Forward"/>. Outputs must not overlap inputs or each other.</summary>
/// <typeparam name="T">Element type: <see cref="float"/> for the fast body, <see cref="double"/> also for the reference.</typeparam>
public readonly struct CausalConv1dForward<T>
    where T : unmanaged
{
    /// <summary>Sizes.</summary>
    public ConvDims Dims { get; init; }

    /// <summary>x, (B·L, D), any row stride.</summary>
    public Rows<T> X { get; init; }

    /// <summary>Filter taps, (D, W), the oldest input's first: tap W-1 meets the present input.</summary>
    public Rows<T> Weight { get; init; }

    /// <summary>Bias, (1, D), or absent for zeros.</summary>
    public Rows<T> Bias { get; init; }

    /// <summary>The W-1 inputs before each sequence, oldest first, (B·(W-1), D), or absent for zeros.</summary>
    public Rows<T> InitialState { get; init; }

    /// <summary>True to pass the sums through SiLU.</summary>
    public bool Silu { get; init; }

    /// <summary>Output: y, (B·L, D), any row stride.</summary>
    public Rows<T> Y { get; init; }

    /// <summary>Output: the last W-1 inputs of each sequence (of the initial state, where it is shorter), oldest first, (B·(W-1), D); absent when not wanted.</summary>
    public Rows<T> FinalState { get; init; }

    internal void Require(string operation)
    {
        Dims.Require(operation);
        X.Require(operation, "x", "(B·L, D)", Dims.Steps, Dims.Channels);
        Weight.Require(operation, "weight", "(D, W)", Dims.Channels, Dims.Width);
        Bias.RequireIfPresent(operation, "bias", "(1, D)", 1, Dims.Channels);
        InitialState.RequireIfPresent(operation, "initialState", "(B·(W-1), D)", Dims.Batch * Dims.History, Dims.Channels);
        Y.RequireOutput(operation, "y", "(B·L, D)", Dims.Steps, Dims.Channels);
        Y.RequireApart(operation, "y", "x", X);
        FinalState.RequireOutputIfPresent(operation, "finalState", "(B·(W-1), D)", Dims.Batch * Dims.History, Dims.Channels);
    }
}
