namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Operands of <see cref="CudaSelectiveStateUpdate.Step"/>, as <see cref="SelectiveStateUpdateStep{T}"/> has them.</summary>
public readonly struct CudaStateUpdate
{
    /// <summary>B, D, N up to 256, G; L is not used.</summary>
    public ScanDims Dims { get; init; }

    /// <summary>h, the state, replaced by the next: (B·D, N) float32 without gaps.</summary>
    public CudaRows State { get; init; }

    /// <summary>u, the input: (B, D), any row stride.</summary>
    public CudaRows U { get; init; }

    /// <summary>Step sizes before bias and softplus: (B, D), any row stride.</summary>
    public CudaRows Delta { get; init; }

    /// <summary>A, or ln(-A): (D, N) float32 without gaps.</summary>
    public CudaRows A { get; init; }

    /// <summary>Whether <see cref="A"/> holds ln(-A).</summary>
    public bool AIsLog { get; init; }

    /// <summary>B: (B, G·N), any row stride.</summary>
    public CudaRows B { get; init; }

    /// <summary>C: (B, G·N), any row stride.</summary>
    public CudaRows C { get; init; }

    /// <summary>D, the skip: (1, D) float32; absent = 0.</summary>
    public CudaRows D { get; init; }

    /// <summary>z, the gate before SiLU: (B, D), any row stride; absent = no gate.</summary>
    public CudaRows Z { get; init; }

    /// <summary>Added to <see cref="Delta"/>: (1, D) float32; absent = 0.</summary>
    public CudaRows DeltaBias { get; init; }

    /// <summary>Whether the step size is softplus(delta + bias).</summary>
    public bool DeltaSoftplus { get; init; }

    /// <summary>Output y: (B, D) without gaps.</summary>
    public CudaRows Y { get; init; }

    internal void Require()
    {
        const string Operation = "SelectiveStateUpdate";
        var (batch, channels, columns, type) = (Dims.Batch, Dims.Channels, (long)Dims.Groups * Dims.State, U.Type);
        if (Dims.State is < 1 or > CudaSelectiveStateUpdate.MaxState)
        {
            throw new ArgumentException($"{Operation}: dims.State (N) is {Dims.State}; expected 1 to {CudaSelectiveStateUpdate.MaxState}.", nameof(Dims));
        }

        State.RequireDense(Operation, "state", "(B·D, N)", batch * channels, Dims.State, CudaNumber.Float32);
        U.Require(Operation, "u", "(B, D)", batch, channels, type);
        Delta.Require(Operation, "delta", "(B, D)", batch, channels, type);
        A.RequireDense(Operation, "a", "(D, N)", channels, Dims.State, CudaNumber.Float32);
        B.Require(Operation, "b", "(B, G·N)", batch, columns, type);
        C.Require(Operation, "c", "(B, G·N)", batch, columns, type);
        D.RequireIfPresent(Operation, "d", "(1, D)", 1, channels, CudaNumber.Float32);
        Z.RequireIfPresent(Operation, "z", "(B, D)", batch, channels, type);
        DeltaBias.RequireIfPresent(Operation, "deltaBias", "(1, D)", 1, channels, CudaNumber.Float32);
        Y.RequireDense(Operation, "y", "(B, D)", batch, channels, type);
    }
}
