namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Arguments of one step of the scan for every sequence of a batch. Memory is the caller's.</summary>
/// <typeparam name="T">float, or double for the reference.</typeparam>
public readonly struct SelectiveStateUpdateStep<T>
    where T : unmanaged
{
    /// <summary>B, D, N, G; L is not used.</summary>
    public ScanDims Dims { get; init; }

    /// <summary>h, the state, replaced by the next: (B·D, N).</summary>
    public Rows<T> State { get; init; }

    /// <summary>u, the input: (B, D).</summary>
    public Rows<T> U { get; init; }

    /// <summary>Step sizes before bias and softplus: (B, D).</summary>
    public Rows<T> Delta { get; init; }

    /// <summary>A, the decay rates: (D, N), negative; with <see cref="AIsLog"/> ln(-A).</summary>
    public Rows<T> A { get; init; }

    /// <summary>
    /// True: <see cref="A"/> holds ln(-A), the parameter itself. A scan has its exponentials taken once for all steps; a step that
    /// takes them on the way saves two passes over them.
    /// </summary>
    public bool AIsLog { get; init; }

    /// <summary>B: (B, G·N); the N numbers of group g begin at column g·N.</summary>
    public Rows<T> B { get; init; }

    /// <summary>C: (B, G·N), as <see cref="B"/>.</summary>
    public Rows<T> C { get; init; }

    /// <summary>D, the skip: (1, D); absent = 0.</summary>
    public Rows<T> D { get; init; }

    /// <summary>z, the gate before SiLU: (B, D); absent = no gate.</summary>
    public Rows<T> Z { get; init; }

    /// <summary>Added to <see cref="Delta"/>: (1, D); absent = 0.</summary>
    public Rows<T> DeltaBias { get; init; }

    /// <summary>True: the step size is softplus(delta + bias), linear above 20. False: delta + bias itself.</summary>
    public bool DeltaSoftplus { get; init; }

    /// <summary>Output y: (B, D).</summary>
    public Rows<T> Y { get; init; }

    /// <summary>The same as a scan of length 1 from the state into the state, unless <see cref="AIsLog"/>.</summary>
    internal SelectiveScanForward<T> AsScan(string operation)
    {
        State.RequireOutput(operation, "state", "(B·D, N)", Dims.Batch * Dims.Channels, Dims.State);
        return new()
        {
            Dims = Dims with { Length = 1 },
            U = U,
            Delta = Delta,
            A = A,
            B = B,
            C = C,
            D = D,
            Z = Z,
            DeltaBias = DeltaBias,
            DeltaSoftplus = DeltaSoftplus,
            InitialState = State,
            Y = Y,
            FinalState = State,
        };
    }
}
