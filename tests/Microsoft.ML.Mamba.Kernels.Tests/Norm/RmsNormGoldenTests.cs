using Microsoft.ML.Mamba.Kernels.Tests.Golden;

namespace Microsoft.ML.Mamba.Kernels.Tests.Norm;

/// <summary>Every RMSNorm output and gradient of the reference files, with and without a residual.</summary>
public class RmsNormGoldenTests
{
    private const double DoubleTolerance = 1e-6;

    [SkippableFact]
    public void Plain_loops_in_double_reproduce_every_file()
    {
        foreach (var file in Files())
        {
            Compare(file, "rms", Problem(file, residual: false).Reference(), DoubleTolerance);
            Compare(file, "rms_residual", Problem(file, residual: true).Reference(), DoubleTolerance);
        }
    }

    [SkippableFact]
    public void Fast_body_reproduces_every_file_at_every_width()
    {
        foreach (var file in Files())
        {
            foreach (var bits in SimdWidth.Supported)
            {
                using var forced = SimdWidth.Force(bits);
                Compare(file, "rms", Problem(file, residual: false).Fast(keepSum: false), tolerance: null);
                Compare(file, "rms_residual", Problem(file, residual: true).Fast(gap: 3), tolerance: null);
            }
        }
    }

    private static List<GoldenFile> Files()
    {
        GoldenFolder.SkipIfMissing();
        var files = GoldenFolder.Names("norm").Where(name => name.StartsWith("norm/norms", StringComparison.Ordinal)).Select(name => new GoldenFile(name)).ToList();
        Assert.Equal(2, files.Count);
        return files;
    }

    private static NormProblem Problem(GoldenFile file, bool residual)
    {
        var shape = file["x"].Shape;
        return new NormProblem(
            shape[0] * shape[1],
            shape[2],
            file.Options.GetProperty("eps").GetDouble(),
            [.. file["x"].Values],
            residual ? [.. file["residual"].Values] : null,
            [.. file["weight"].Values],
            [.. file["grad_out"].Values],
            DResidualOut: null);
    }

    private static void Compare(GoldenFile file, string norm, NormResult got, double? tolerance)
    {
        file.AssertMatches($"{norm}.y", got.Y, tolerance);
        file.AssertMatches($"{norm}.grad_x", got.DX, tolerance);
        file.AssertMatches($"{norm}.grad_weight", got.DWeight, tolerance);
        if (norm == "rms_residual")
        {
            file.AssertMatches("rms_residual.grad_residual", got.DX, tolerance);
        }
    }
}
