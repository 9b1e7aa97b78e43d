namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Weights and states of one block in a GPU's memory, as <see cref="BlockStep{T}"/> has them in the processor's; all without gaps.</summary>
public readonly struct CudaTokenBlock
{
    /// <summary>Scale of the norm in front: (1, M) float32.</summary>
    public CudaRows Norm { get; init; }

    /// <summary>Projection in: (2·D, M), giving x, then the gate z.</summary>
    public CudaRows In { get; init; }

    /// <summary>Its bias: (1, 2·D) float32; absent = 0.</summary>
    public CudaRows InBias { get; init; }

    /// <summary>Filter taps: (D, W) float32, the oldest input's first.</summary>
    public CudaRows Convolution { get; init; }

    /// <summary>Bias of the filters: (1, D) float32; absent = 0.</summary>
    public CudaRows ConvolutionBias { get; init; }

    /// <summary>Selection: (R + 2·N, D), giving what step sizes are made of, then B, then C.</summary>
    public CudaRows Select { get; init; }

    /// <summary>Projection to step sizes: (D, R).</summary>
    public CudaRows Delta { get; init; }

    /// <summary>Added to the step sizes before softplus: (1, D) float32; absent = 0.</summary>
    public CudaRows DeltaBias { get; init; }

    /// <summary>ln(-A), logarithms of the decay rates: (D, N) float32.</summary>
    public CudaRows ALog { get; init; }

    /// <summary>D, the skip: (1, D) float32; absent = 0.</summary>
    public CudaRows Skip { get; init; }

    /// <summary>Projection out: (M, D).</summary>
    public CudaRows Out { get; init; }

    /// <summary>Its bias: (1, M) float32; absent = 0.</summary>
    public CudaRows OutBias { get; init; }

    /// <summary>In and out: the last W-1 inputs of the convolution, oldest first: (B·(W-1), D).</summary>
    public CudaRows Inputs { get; init; }

    /// <summary>In and out: h, the state of the scan: (B·D, N) float32.</summary>
    public CudaRows State { get; init; }

    internal CudaTokenBlockArguments Arguments => new()
    {
        Norm = Norm.Address,
        In = In.Address,
        InBias = InBias.Address,
        Convolution = Convolution.Address,
        ConvolutionBias = ConvolutionBias.Address,
        Select = Select.Address,
        Delta = Delta.Address,
        DeltaBias = DeltaBias.Address,
        ALog = ALog.Address,
        Skip = Skip.Address,
        Out = Out.Address,
        OutBias = OutBias.Address,
        Inputs = Inputs.Address,
        State = State.Address,
    };

    internal void Require(string operation, in BlockStepDims dims, CudaNumber type)
    {
        const CudaNumber Single = CudaNumber.Float32;
        var (batch, model, channels, width, state, rank) = dims;
        Norm.RequireDense(operation, "norm", "(1, M)", 1, model, Single);
        In.RequireDense(operation, "in", "(2·D, M)", 2 * channels, model, type);
        InBias.RequireDenseIfPresent(operation, "inBias", "(1, 2·D)", 1, 2 * channels, Single);
        Convolution.RequireDense(operation, "convolution", "(D, W)", channels, width, Single);
        ConvolutionBias.RequireDenseIfPresent(operation, "convolutionBias", "(1, D)", 1, channels, Single);
        Select.RequireDense(operation, "select", "(R + 2·N, D)", dims.Selected, channels, type);
        Delta.RequireDense(operation, "delta", "(D, R)", channels, rank, type);
        DeltaBias.RequireDenseIfPresent(operation, "deltaBias", "(1, D)", 1, channels, Single);
        ALog.RequireDense(operation, "aLog", "(D, N)", channels, state, Single);
        Skip.RequireDenseIfPresent(operation, "skip", "(1, D)", 1, channels, Single);
        Out.RequireDense(operation, "out", "(M, D)", model, channels, type);
        OutBias.RequireDenseIfPresent(operation, "outBias", "(1, M)", 1, model, Single);
        Inputs.RequireDense(operation, "inputs", "(B·(W-1), D)", batch * (width - 1), channels, type);
        State.RequireDense(operation, "state", "(B·D, N)", batch * channels, state, Single);
    }
}
