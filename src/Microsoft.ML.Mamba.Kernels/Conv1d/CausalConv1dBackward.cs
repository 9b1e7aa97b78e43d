namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Arguments of <see cref="CausalConv1d.Backward"/>: the inputs of <see cref="CausalConv1dForward{T}"/>, the gradients of its
/// outputs, and the gradients to compute. Outputs are overwritten, and must not overlap inputs or each other.
/// </summary>
/// <typeparam name="T">Element type: <see cref="float"/> for the fast body, <see cref="double"/> also for the reference.</typeparam>
public readonly struct CausalConv1dBackward<T>
    where T : unmanaged
{
    /// <summary>Sizes.</summary>
    public ConvDims Dims { get; init; }

    /// <summary>x, (B·L, D), any row stride.</summary>
    public Rows<T> X { get; init; }

    /// <summary>Filter taps, (D, W), the oldest input's first.</summary>
    public Rows<T> Weight { get; init; }

    /// <summary>Bias, (1, D), or absent for zeros.</summary>
    public Rows<T> Bias { get; init; }

    /// <summary>The W-1 inputs before each sequence, oldest first, (B·(W-1), D), or absent for zeros.</summary>
    public Rows<T> InitialState { get; init; }

    /// <summary>True when the forward pass applied SiLU.</summary>
    public bool Silu { get; init; }

    /// <summary>Gradient of y, (B·L, D), any row stride.</summary>
    public Rows<T> DY { get; init; }

    /// <summary>Gradient of the final state, (B·(W-1), D), or absent for zeros.</summary>
    public Rows<T> DFinalState { get; init; }

    /// <summary>Output: gradient of x, (B·L, D), any row stride; absent when not wanted.</summary>
    public Rows<T> DX { get; init; }

    /// <summary>Output: gradient of the taps, (D, W); absent when not wanted.</summary>
    public Rows<T> DWeight { get; init; }

    /// <summary>Output: gradient of the bias, (1, D); absent when not wanted.</summary>
    public Rows<T> DBias { get; init; }

    /// <summary>Output: gradient of the initial state (also of one that was absent), (B·(W-1), D); absent when not wanted.</summary>
    public Rows<T> DInitialState { get; init; }

    internal void Require(string operation)
    {
        Dims.Require(operation);
        var (steps, states, channels) = (Dims.Steps, Dims.Batch * Dims.History, Dims.Channels);
        X.Require(operation, "x", "(B·L, D)", steps, channels);
        Weight.Require(operation, "weight", "(D, W)", channels, Dims.Width);
        Bias.RequireIfPresent(operation, "bias", "(1, D)", 1, channels);
        InitialState.RequireIfPresent(operation, "initialState", "(B·(W-1), D)", states, channels);
        DY.Require(operation, "dy", "(B·L, D)", steps, channels);
        DFinalState.RequireIfPresent(operation, "dFinalState", "(B·(W-1), D)", states, channels);
        DX.RequireOutputIfPresent(operation, "dx", "(B·L, D)", steps, channels);
        DX.RequireApart(operation, "dx", "x", X);
        DX.RequireApart(operation, "dx", "dy", DY);
        DWeight.RequireOutputIfPresent(operation, "dWeight", "(D, W)", channels, Dims.Width);
        DBias.RequireOutputIfPresent(operation, "dBias", "(1, D)", 1, channels);
        DInitialState.RequireOutputIfPresent(operation, "dInitialState", "(B·(W-1), D)", states, channels);
    }
}
