namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Arguments of the gradient of a selective scan: the inputs of the forward pass, the gradients of its outputs, and where the
/// gradients of its inputs go. Outputs are overwritten, not added to; an absent output is not wanted. Memory is the caller's;
/// outputs must not overlap inputs.
/// </summary>
/// <typeparam name="T">float, or double for the reference.</typeparam>
public readonly struct SelectiveScanBackward<T>
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

    /// <summary>As in the forward pass.</summary>
    public bool DeltaSoftplus { get; init; }

    /// <summary>What the forward pass wrote; the reference needs none.</summary>
    public Rows<T> Checkpoints { get; init; }

    /// <summary>Gradient of y: (B·L, D); absent = 0.</summary>
    public Rows<T> DY { get; init; }

    /// <summary>Gradient of the final state: (B·D, N); absent = 0.</summary>
    public Rows<T> DFinalState { get; init; }

    /// <summary>Output, gradient of u: (B·L, D).</summary>
    public Rows<T> DU { get; init; }

    /// <summary>Output, gradient of delta before bias and softplus: (B·L, D).</summary>
    public Rows<T> DDelta { get; init; }

    /// <summary>Output, gradient of A: (D, N).</summary>
    public Rows<T> DA { get; init; }

    /// <summary>Output, gradient of B: (B·L, G·N).</summary>
    public Rows<T> DB { get; init; }

    /// <summary>Output, gradient of C: (B·L, G·N).</summary>
    public Rows<T> DC { get; init; }

    /// <summary>Output, gradient of D: (1, D).</summary>
    public Rows<T> DD { get; init; }

    /// <summary>Output, gradient of z: (B·L, D); only with <see cref="Z"/>.</summary>
    public Rows<T> DZ { get; init; }

    /// <summary>Output, gradient of the delta bias: (1, D).</summary>
    public Rows<T> DDeltaBias { get; init; }

    /// <summary>Output, gradient of the initial state: (B·D, N).</summary>
    public Rows<T> DInitialState { get; init; }

    /// <summary>Refuses arguments whose shapes do not fit <see cref="Dims"/>.</summary>
    internal void Require(string operation)
    {
        Dims.Require(operation);
        ScanInputs.Require(operation, Dims, U, Delta, A, B, C, D, Z, DeltaBias, InitialState);
        var (steps, channels, states, columns) = (Dims.Steps, Dims.Channels, Dims.Batch * Dims.Channels, (long)Dims.Groups * Dims.State);
        DY.RequireIfPresent(operation, "dy", "(B·L, D)", steps, channels);
        DFinalState.RequireIfPresent(operation, "dFinalState", "(B·D, N)", states, Dims.State);
        DU.RequireOutputIfPresent(operation, "du", "(B·L, D)", steps, channels);
        DDelta.RequireOutputIfPresent(operation, "ddelta", "(B·L, D)", steps, channels);
        DA.RequireOutputIfPresent(operation, "da", "(D, N)", channels, Dims.State);
        DB.RequireOutputIfPresent(operation, "db", "(B·L, G·N)", steps, columns);
        DC.RequireOutputIfPresent(operation, "dc", "(B·L, G·N)", steps, columns);
        DD.RequireOutputIfPresent(operation, "dd", "(1, D)", 1, channels);
        DZ.RequireOutputIfPresent(operation, "dz", "(B·L, D)", steps, channels);
        DDeltaBias.RequireOutputIfPresent(operation, "ddeltaBias", "(1, D)", 1, channels);
        DInitialState.RequireOutputIfPresent(operation, "dInitialState", "(B·D, N)", states, Dims.State);
        if (!DZ.IsAbsent && Z.IsAbsent && !DZ.IsEmpty)
        {
            throw new ArgumentException($"{operation}: dz is wanted but z is absent; give z, or leave dz out.", nameof(DZ));
        }
    }
}
