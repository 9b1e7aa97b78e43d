namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>The gradients of the reference against central differences in double.</summary>
public class SelectiveScanReferenceTests
{
    private const double Step = 1e-5;

    // The differences are of second order in the step: about 1e-9 here; a wrong term is off by its own size.
    private const double Tolerance = 1e-7;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16 + 32)]
    [InlineData(63)]
    public void Gradients_equal_finite_differences(int optionsLeftOut)
    {
        var data = ScanData.Random(new ScanDims(2, 4, 4, 3, Groups: 2), seed: 1).Without(optionsLeftOut);
        var gradients = ScanRunner.ReferenceBackward(data);

        AssertGradient(gradients, "grad_u", data.U, values => data with { U = values });
        AssertGradient(gradients, "grad_delta", data.Delta, values => data with { Delta = values });
        AssertGradient(gradients, "grad_A", data.A, values => data with { A = values });
        AssertGradient(gradients, "grad_B", data.B, values => data with { B = values });
        AssertGradient(gradients, "grad_C", data.C, values => data with { C = values });
        AssertGradient(gradients, "grad_D", data.D ?? new double[4], values => data with { D = values });
        AssertGradient(gradients, "grad_delta_bias", data.DeltaBias ?? new double[4], values => data with { DeltaBias = values });
        AssertGradient(gradients, "grad_initial_state", data.InitialState ?? new double[2 * 4 * 3], values => data with { InitialState = values });
        if (data.Z is not null)
        {
            AssertGradient(gradients, "grad_z", data.Z, values => data with { Z = values });
        }
    }

    [Fact]
    public void Gradients_equal_finite_differences_where_softplus_is_linear()
    {
        var data = ScanData.Random(new ScanDims(1, 3, 2, 2), seed: 2);
        data = data with { Delta = [.. data.Delta.Select(d => d + 25)], A = [.. data.A.Select(a => a * 0.01)] };
        var gradients = ScanRunner.ReferenceBackward(data);

        AssertGradient(gradients, "grad_delta", data.Delta, values => data with { Delta = values });
    }

    private static void AssertGradient(Dictionary<string, double[]> gradients, string name, double[] at, Func<double[], ScanData> with)
    {
        var differences = new double[at.Length];
        for (var i = 0; i < at.Length; i++)
        {
            double[] up = [.. at], down = [.. at];
            up[i] += Step;
            down[i] -= Step;
            differences[i] = (Objective(with(up)) - Objective(with(down))) / (2 * Step);
        }

        Closeness.Assert(name, differences, gradients[name], Tolerance);
    }

    /// <summary>sum(y·dy) + sum(last state·its gradient): the number whose gradient the backward pass computes.</summary>
    private static double Objective(ScanData data)
    {
        var results = ScanRunner.ReferenceForward(data);
        var sum = results["y"].Zip(data.DY!, (y, dy) => y * dy).Sum();
        return data.DFinalState is null ? sum : sum + results["last_state"].Zip(data.DFinalState, (h, dh) => h * dh).Sum();
    }
}
