using Microsoft.ML.Mamba.Kernels.Tests.Golden;

namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>Every output and gradient of the reference files of whole sequences.</summary>
public class CausalConv1dGoldenTests
{
    private const double DoubleTolerance = 1e-6;

    [SkippableFact]
    public void Plain_loops_in_double_reproduce_every_file()
    {
        foreach (var file in Files())
        {
            Compare(file, Problem(file).Reference(), DoubleTolerance);
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
                Compare(file, Problem(file).Fast(gap: 3), tolerance: null);
            }
        }
    }

    private static List<GoldenFile> Files()
    {
        GoldenFolder.SkipIfMissing();
        var files = GoldenFolder.Names("conv1d").Where(name => !name.StartsWith("conv1d/update", StringComparison.Ordinal)).Select(name => new GoldenFile(name)).ToList();
        Assert.Equal(19, files.Count);
        return files;
    }

    private static ConvProblem Problem(GoldenFile file)
    {
        var options = file.Options;
        var dims = new ConvDims(
            options.GetProperty("batch").GetInt64(), options.GetProperty("length").GetInt64(), options.GetProperty("dim").GetInt64(), options.GetProperty("width").GetInt32());
        return new ConvProblem(
            dims,
            options.GetProperty("activation").GetString() == "silu",
            ChannelLast(file, "x"),
            [.. file["weight"].Values],
            file.Has("bias") ? [.. file["bias"].Values] : null,
            file.Has("initial_state") ? ChannelLast(file, "initial_state") : null,
            ChannelLast(file, "grad_out"),
            DFinalState: null);
    }

    private static double[] ChannelLast(GoldenFile file, string tensor) => [.. file[tensor].SwapLastTwo()];

    private static void Compare(GoldenFile file, ConvResult got, double? tolerance)
    {
        var compared = new List<string>();
        AssertChannelLast("y", got.Y);
        AssertChannelLast("final_state", got.FinalState);
        AssertChannelLast("grad_x", got.DX);
        AssertRows("grad_weight", got.DWeight);
        AssertRows("grad_bias", got.DBias);
        AssertChannelLast("grad_initial_state", got.DInitialState);
        Assert.Equal(file.Outputs.Order(), compared.Order());

        void AssertRows(string tensor, double[] values)
        {
            if (file.Has(tensor))
            {
                file.AssertMatches(tensor, values, tolerance);
                compared.Add(tensor);
            }
        }

        void AssertChannelLast(string tensor, double[] values)
        {
            if (file.Has(tensor))
            {
                var shape = file[tensor].Shape;
                AssertRows(tensor, GoldenTensor.SwapLastTwo(values, [shape[0], shape[2], shape[1]]));
            }
        }
    }
}
