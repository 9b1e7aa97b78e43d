namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Weights and state of one block, for <see cref="BlockSteps"/>. Memory is the caller's.</summary>
/// <typeparam name="T">float, or double for the reference.</typeparam>
public readonly struct BlockStep<T>
    where T : unmanaged
{
    /// <summary>Scale of the norm in front: (1, M).</summary>
    public Rows<T> Norm { get; init; }

    /// <summary>Projection in: (2·D, M), giving x, then the gate z.</summary>
    public Rows<T> In { get; init; }

    /// <summary>Its bias: (1, 2·D); absent = 0.</summary>
    public Rows<T> InBias { get; init; }

    /// <summary>Filter taps: (D, W), the oldest input's first.</summary>
    public Rows<T> Convolution { get; init; }

    /// <summary>Bias of the filters: (1, D); absent = 0.</summary>
    public Rows<T> ConvolutionBias { get; init; }

    /// <summary>Selection: (R + 2·N, D), giving what step sizes are made of, then B, then C.</summary>
    public Rows<T> Select { get; init; }

    /// <summary>Projection to step sizes: (D, R).</summary>
    public Rows<T> Delta { get; init; }

    /// <summary>Added to the step sizes before softplus: (1, D); absent = 0.</summary>
    public Rows<T> DeltaBias { get; init; }

    /// <summary>ln(-A), logarithms of the decay rates: (D, N).</summary>
    public Rows<T> ALog { get; init; }

    /// <summary>D, the skip: (1, D); absent = 0.</summary>
    public Rows<T> Skip { get; init; }

    /// <summary>Projection out: (M, D).</summary>
    public Rows<T> Out { get; init; }

    /// <summary>Its bias: (1, M); absent = 0.</summary>
    public Rows<T> OutBias { get; init; }

    /// <summary>In and out: the last W-1 inputs of the convolution, oldest first: (B·(W-1), D).</summary>
    public Rows<T> Inputs { get; init; }

    /// <summary>In and out: h, the state of the scan: (B·D, N).</summary>
    public Rows<T> State { get; init; }

    internal void Require(string operation, in BlockStepDims dims)
    {
        var (batch, model, channels, width, state, rank) = dims;
        Norm.Require(operation, "norm", "(1, M)", 1, model);
        In.Require(operation, "in", "(2·D, M)", 2 * channels, model);
        InBias.RequireIfPresent(operation, "inBias", "(1, 2·D)", 1, 2 * channels);
        Convolution.Require(operation, "convolution", "(D, W)", channels, width);
        ConvolutionBias.RequireIfPresent(operation, "convolutionBias", "(1, D)", 1, channels);
        Select.Require(operation, "select", "(R + 2·N, D)", dims.Selected, channels);
        Delta.Require(operation, "delta", "(D, R)", channels, rank);
        DeltaBias.RequireIfPresent(operation, "deltaBias", "(1, D)", 1, channels);
        ALog.Require(operation, "aLog", "(D, N)", channels, state);
        Skip.RequireIfPresent(operation, "skip", "(1, D)", 1, channels);
        Out.Require(operation, "out", "(M, D)", model, channels);
        OutBias.RequireIfPresent(operation, "outBias", "(1, M)", 1, model);
        Inputs.RequireOutput(operation, "inputs", "(B·(W-1), D)", batch * (width - 1), channels);
        State.RequireOutput(operation, "state", "(B·D, N)", batch * channels, state);
    }

    /// <summary>The block's scan as a step of its own.</summary>
    internal SelectiveStateUpdateStep<T> Scan(in BlockStepDims dims, Rows<T> u, Rows<T> delta, Rows<T> b, Rows<T> c, Rows<T> z, Rows<T> y) => new()
    {
        Dims = dims.Scan,
        State = State,
        U = u,
        Delta = delta,
        A = ALog,
        AIsLog = true,
        B = b,
        C = c,
        D = Skip,
        Z = z,
        DeltaBias = DeltaBias,
        DeltaSoftplus = true,
        Y = y,
    };
}
