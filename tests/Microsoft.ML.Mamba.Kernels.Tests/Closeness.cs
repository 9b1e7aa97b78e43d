namespace Microsoft.ML.Mamba.Kernels.Tests;

/// <summary>The comparison rule of the reference files: the largest difference against the largest expected value.</summary>
internal static class Closeness
{
    private const double Negligible = 1e-30;

    /// <summary>Asserts max|got - want| ≤ tolerance·max|want| (tolerance alone when max|want| is below 1e-30); NaN fails.</summary>
    public static void Assert(string what, IReadOnlyList<float> want, IReadOnlyList<double> got, double tolerance) =>
        Assert(what, [.. want.Select(v => (double)v)], got, tolerance);

    /// <summary>The same for computed floats.</summary>
    public static void Assert(string what, IReadOnlyList<double> want, IReadOnlyList<float> got, double tolerance) =>
        Assert(what, want, [.. got.Select(v => (double)v)], tolerance);

    /// <summary>The same for expected doubles.</summary>
    public static void Assert(string what, IReadOnlyList<double> want, IReadOnlyList<double> got, double tolerance)
    {
        Xunit.Assert.True(want.Count == got.Count, $"{what}: expected {want.Count} values, got {got.Count}.");
        var largest = want.Count == 0 ? 0 : want.Max(Math.Abs);
        var bound = largest < Negligible ? tolerance : tolerance * largest;
        for (var i = 0; i < want.Count; i++)
        {
            if (!(Math.Abs(got[i] - want[i]) <= bound))
            {
                Xunit.Assert.Fail($"{what}[{i}]: expected {want[i]:R}, got {got[i]:R}, bound {bound:R} ({tolerance:R} of the largest, {largest:R}).");
            }
        }
    }
}
