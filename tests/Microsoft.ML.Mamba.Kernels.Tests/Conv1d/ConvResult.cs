namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>Outputs and gradients of a convolution, row by row.</summary>
internal sealed record ConvResult(double[] Y, double[] FinalState, double[] DX, double[] DWeight, double[] DBias, double[] DInitialState)
{
    public IEnumerable<(string Name, double[] Values)> All =>
    [
        ("y", Y), ("finalState", FinalState), ("dx", DX), ("dWeight", DWeight), ("dBias", DBias), ("dInitialState", DInitialState),
    ];

    /// <summary>Every array within tolerance times its largest expected value.</summary>
    public void AssertClose(string what, ConvResult want, double tolerance)
    {
        foreach (var ((name, expected), (_, got)) in want.All.Zip(All))
        {
            Closeness.Assert($"{what}: {name}", expected, got, tolerance);
        }
    }

    /// <summary>Every array bit for bit.</summary>
    public void AssertSameBits(string what, ConvResult want)
    {
        foreach (var ((name, expected), (_, got)) in want.All.Zip(All))
        {
            Bits.AssertSame($"{what}: {name}", expected, got);
        }
    }
}
