namespace Microsoft.ML.Mamba.Kernels.Tests.Norm;

/// <summary>Outputs and gradients of RMSNorm, row by row.</summary>
internal sealed record NormResult(double[] Y, double[] ResidualOut, double[] DX, double[] DWeight)
{
    private IEnumerable<(string Name, double[] Values)> All => [("y", Y), ("residualOut", ResidualOut), ("dx", DX), ("dWeight", DWeight)];

    /// <summary>Every array within tolerance times its largest expected value.</summary>
    public void AssertClose(string what, NormResult want, double tolerance)
    {
        foreach (var ((name, expected), (_, got)) in want.All.Zip(All))
        {
            Closeness.Assert($"{what}: {name}", expected, got, tolerance);
        }
    }

    /// <summary>Every array bit for bit.</summary>
    public void AssertSameBits(string what, NormResult want)
    {
        foreach (var ((name, expected), (_, got)) in want.All.Zip(All))
        {
            Bits.AssertSame($"{what}: {name}", expected, got);
        }
    }
}
