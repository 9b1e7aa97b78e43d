namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Arguments of a selective scan. Memory is the caller's; outputs must not overlap inputs, except FinalState, which may be InitialState.</summary>
/// <typeparam name="T">float, or double for the reference.</typeparam>
public readonly struct SelectiveScanForward<T>
    where T : unmanaged
{
    /// <summary>B, L, D, N, G.</summary>
    public ScanDims Dims { get; init; }

    /// <summary>u, the input: (B·L, D).</summary>
    public Rows<T> U { get; init; }

    /// <summary>Step sizes before bias and softplus: (B·L, D).</summary>
    public Rows<T> Delta { get; init; }

    /// <summary>A, the decay rates: (D, N), negative.</summary>
    public Rows<T> A { get; init; }

    /// <summary>B: (B·L, G·N); the N numbers of group g begin at column g·N.</summary>
    public Rows<T> B { get; init; }

    /// <summary>C: (B·L, G·N), as <see cref="B"/>.</summary>
    public Rows<T> C { get; init; }

    /// <summary>D, the skip: (1, D); absent = 0.</summary>
    public Rows<T> D { get; init; }

    /// <summary>z, the gate before SiLU: (B·L, D); absent = no gate.</summary>
    public Rows<T> Z { get; init; }

    /// <summary>Added to <see cref="Delta"/>: (1, D); absent = 0.</summary>
    public Rows<T> DeltaBias { get; init; }

    /// <summary>h before the first step: (B·D, N); absent = 0.</summary>
    public Rows<T> InitialState { get; init; }

    /// <summary>True: the step size is softplus(delta + bias), linear above 20. False: delta + bias itself.</summary>
    public bool DeltaSoftplus { get; init; }

    /// <summary>Output y: (B·L, D).</summary>
    public Rows<T> Y { get; init; }

    /// <summary>Output h after the last step: (B·D, N); absent = not wanted. With L = 0 it is the initial state.</summary>
    public Rows<T> FinalState { get; init; }

    /// <summary>
    /// Output for <c>SelectiveScan.Backward</c>: one row of <c>SelectiveScan.CheckpointLength(Dims)</c> elements; absent = not wanted.
    /// The reference neither writes nor needs it.
    /// </summary>
    public Rows<T> Checkpoints { get; init; }

    /// <summary>Refuses arguments whose shapes do not fit <see cref="Dims"/>.</summary>
    internal void Require(string operation)
    {
        Dims.Require(operation);
        ScanInputs.Require(operation, Dims, U, Delta, A, B, C, D, Z, DeltaBias, InitialState);
        Y.RequireOutput(operation, "y", "(B·L, D)", Dims.Steps, Dims.Channels);
        FinalState.RequireOutputIfPresent(operation, "finalState", "(B·D, N)", Dims.Batch * Dims.Channels, Dims.State);
        Checkpoints.RequireIfPresent(operation, "checkpoints", "(1, CheckpointLength)", 1, SelectiveScan.CheckpointLength(Dims));
    }
}
