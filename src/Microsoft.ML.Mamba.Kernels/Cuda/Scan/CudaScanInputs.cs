namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Operands of a scan in a GPU's memory; <c>default</c> rows are absent operands.</summary>
public readonly struct CudaScanInputs
{
    /// <summary>(B·L, D), any row stride; its type is that of all operands that are not float32.</summary>
    public CudaRows U { get; init; }

    /// <summary>(B·L, D) step sizes before bias and softplus, any row stride.</summary>
    public CudaRows Delta { get; init; }

    /// <summary>(D, N) float32 without gaps, negative.</summary>
    public CudaRows A { get; init; }

    /// <summary>(B·L, G·N), any row stride.</summary>
    public CudaRows B { get; init; }

    /// <summary>(B·L, G·N), any row stride.</summary>
    public CudaRows C { get; init; }

    /// <summary>(1, D) float32, or absent.</summary>
    public CudaRows D { get; init; }

    /// <summary>(B·L, D) gate, any row stride, or absent.</summary>
    public CudaRows Z { get; init; }

    /// <summary>(1, D) float32, or absent.</summary>
    public CudaRows DeltaBias { get; init; }

    /// <summary>(B·D, N) float32 without gaps, or absent for zeros.</summary>
    public CudaRows InitialState { get; init; }

    /// <summary>Whether delta passes through softplus.</summary>
    public bool DeltaSoftplus { get; init; }

    internal void Require(string operation, ScanDims dims)
    {
        var type = U.Type;
        U.Require(operation, "u", "(B·L, D)", dims.Steps, dims.Channels, type);
        Delta.Require(operation, "delta", "(B·L, D)", dims.Steps, dims.Channels, type);
        A.RequireDense(operation, "a", "(D, N)", dims.Channels, dims.State, CudaNumber.Float32);
        B.Require(operation, "b", "(B·L, G·N)", dims.Steps, (long)dims.Groups * dims.State, type);
        C.Require(operation, "c", "(B·L, G·N)", dims.Steps, (long)dims.Groups * dims.State, type);
        D.RequireIfPresent(operation, "d", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        Z.RequireIfPresent(operation, "z", "(B·L, D)", dims.Steps, dims.Channels, type);
        DeltaBias.RequireIfPresent(operation, "deltaBias", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        InitialState.RequireDenseIfPresent(operation, "initialState", "(B·D, N)", dims.Batch * dims.Channels, dims.State, CudaNumber.Float32);
    }

    /// <summary>Whether all rows, those of every group too, are whole vectors of 16 bytes.</summary>
    internal bool Aligned(ScanDims dims, params ReadOnlySpan<CudaRows> outputs)
    {
        var width = 16 / U.Type.Bytes();
        return CudaRows.Pack(width, U, Delta, B, C, Z) == width && CudaRows.Pack(width, outputs) == width
            && (dims.Groups == 1 || (dims.ChannelsPerGroup % width == 0 && dims.State % width == 0));
    }
}

/// <summary>Gradients of a scan in a GPU's memory, all without gaps.</summary>
public readonly struct CudaScanGradients
{
    /// <summary>(B·L, D); needed.</summary>
    public CudaRows U { get; init; }

    /// <summary>(B·L, D); needed.</summary>
    public CudaRows Delta { get; init; }

    /// <summary>(D, N) float32, or absent when not wanted.</summary>
    public CudaRows A { get; init; }

    /// <summary>(B·L, G·N), or absent when not wanted.</summary>
    public CudaRows B { get; init; }

    /// <summary>(B·L, G·N), or absent when not wanted.</summary>
    public CudaRows C { get; init; }

    /// <summary>(1, D) float32, or absent when not wanted.</summary>
    public CudaRows D { get; init; }

    /// <summary>(B·L, D), any row stride; needed when there is a gate.</summary>
    public CudaRows Z { get; init; }

    /// <summary>(1, D) float32, or absent when not wanted.</summary>
    public CudaRows DeltaBias { get; init; }

    /// <summary>(B·D, N) float32, or absent when not wanted.</summary>
    public CudaRows InitialState { get; init; }

    internal void Require(string operation, ScanDims dims, CudaScanInputs inputs)
    {
        var type = inputs.U.Type;
        U.RequireDense(operation, "du", "(B·L, D)", dims.Steps, dims.Channels, type);
        Delta.RequireDense(operation, "dDelta", "(B·L, D)", dims.Steps, dims.Channels, type);
        A.RequireDenseIfPresent(operation, "dA", "(D, N)", dims.Channels, dims.State, CudaNumber.Float32);
        B.RequireDenseIfPresent(operation, "dB", "(B·L, G·N)", dims.Steps, (long)dims.Groups * dims.State, type);
        C.RequireDenseIfPresent(operation, "dC", "(B·L, G·N)", dims.Steps, (long)dims.Groups * dims.State, type);
        D.RequireIfPresent(operation, "dD", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        if (!inputs.Z.IsAbsent)
            Z.Require(operation, "dz", "(B·L, D)", dims.Steps, dims.Channels, type);
        DeltaBias.RequireIfPresent(operation, "dDeltaBias", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        InitialState.RequireDenseIfPresent(operation, "dInitialState", "(B·D, N)", dims.Batch * dims.Channels, dims.State, CudaNumber.Float32);
    }
}
