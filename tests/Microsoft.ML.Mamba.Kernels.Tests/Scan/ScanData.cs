namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>The numbers of one scan, in the layouts of the kernels; what is null is absent.</summary>
internal sealed record ScanData
{
    public required ScanDims Dims { get; init; }

    public required double[] U { get; init; }

    public required double[] Delta { get; init; }

    public required double[] A { get; init; }

    public required double[] B { get; init; }

    public required double[] C { get; init; }

    public double[]? D { get; init; }

    public double[]? Z { get; init; }

    public double[]? DeltaBias { get; init; }

    public double[]? InitialState { get; init; }

    public bool DeltaSoftplus { get; init; }

    public double[]? DY { get; init; }

    public double[]? DFinalState { get; init; }

    /// <summary>Every option on, float32 numbers from a seeded generator.</summary>
    public static ScanData Random(ScanDims dims, int seed)
    {
        var random = new Random(seed);
        var (elements, states, columns) = (dims.Steps * dims.Channels, dims.Batch * dims.Channels * dims.State, dims.Steps * dims.Groups * dims.State);
        double[] Uniform(long count, double low, double high) =>
            [.. Enumerable.Range(0, (int)count).Select(_ => (double)(float)(low + (high - low) * random.NextDouble()))];
        return new ScanData
        {
            Dims = dims,
            U = Uniform(elements, -1, 1),
            Delta = Uniform(elements, -3, 1),
            A = Uniform(dims.Channels * dims.State, -4, -0.1),
            B = Uniform(columns, -1, 1),
            C = Uniform(columns, -1, 1),
            D = Uniform(dims.Channels, -1, 1),
            Z = Uniform(elements, -2, 2),
            DeltaBias = Uniform(dims.Channels, -2, 0),
            InitialState = Uniform(states, -1, 1),
            DeltaSoftplus = true,
            DY = Uniform(elements, -1, 1),
            DFinalState = Uniform(states, -1, 1),
        };
    }

    /// <summary>
    /// The same with some options left out: one bit each of D, z, bias, softplus, initial state, gradient of the final state.
    /// Without softplus the step sizes are made positive, as a model must do, so that the state does not grow.
    /// </summary>
    public ScanData Without(int options)
    {
        double[] Positive(double[] values) => [.. values.Select(v => (double)(float)Math.Abs(v / 4))];
        var softplus = DeltaSoftplus && (options & 8) == 0;
        var bias = (options & 4) != 0 ? null : DeltaBias;
        return this with
        {
            D = (options & 1) != 0 ? null : D,
            Z = (options & 2) != 0 ? null : Z,
            DeltaBias = bias is null || softplus ? bias : Positive(bias),
            Delta = softplus ? Delta : Positive(Delta),
            DeltaSoftplus = softplus,
            InitialState = (options & 16) != 0 ? null : InitialState,
            DFinalState = (options & 32) != 0 ? null : DFinalState,
        };
    }

    /// <summary>Steps <paramref name="start"/> to <paramref name="end"/> of every sequence.</summary>
    public ScanData Slice(long start, long end) => this with
    {
        Dims = Dims with { Length = end - start },
        U = SliceSteps(U, start, end),
        Delta = SliceSteps(Delta, start, end),
        B = SliceSteps(B, start, end),
        C = SliceSteps(C, start, end),
        Z = Z is null ? null : SliceSteps(Z, start, end),
        DY = DY is null ? null : SliceSteps(DY, start, end),
    };

    /// <summary>The same slice of an array with one row per step.</summary>
    public double[] SliceSteps(double[] values, long start, long end)
    {
        var width = Dims.Steps == 0 ? 0 : (int)(values.Length / Dims.Steps);
        return [.. Enumerable.Range(0, (int)Dims.Batch).SelectMany(b => values[(int)((b * Dims.Length + start) * width)..(int)((b * Dims.Length + end) * width)])];
    }
}
