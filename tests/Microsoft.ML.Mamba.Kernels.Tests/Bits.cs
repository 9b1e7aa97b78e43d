namespace Microsoft.ML.Mamba.Kernels.Tests;

/// <summary>Comparison bit for bit.</summary>
internal static class Bits
{
    public static void AssertSame(string what, IReadOnlyList<double> want, IReadOnlyList<double> got)
    {
        Assert.True(want.Count == got.Count, $"{what}: expected {want.Count} values, got {got.Count}.");
        for (var i = 0; i < want.Count; i++)
        {
            if (BitConverter.DoubleToInt64Bits(want[i]) != BitConverter.DoubleToInt64Bits(got[i]))
            {
                Assert.Fail($"{what}[{i}]: expected {want[i]:R}, got {got[i]:R}, which must be the same bits.");
            }
        }
    }
}
