namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>The plain loops' gradients against central differences, in double.</summary>
public class CausalConv1dGradientTests
{
    private const double Step = 1e-5;

    // The differences' own error: Step² times a third derivative of order 1, and rounding of the loss over Step.
    private const double Tolerance = 1e-8;

    [Theory]
    [InlineData(2, 5, 3, 4, true)]
    [InlineData(1, 9, 2, 8, true)]
    [InlineData(2, 3, 2, 8, true)]
    [InlineData(2, 1, 1, 3, true)]
    [InlineData(2, 6, 2, 2, false)]
    [InlineData(3, 0, 2, 4, true)]
    public void Every_gradient_is_the_derivative(int batch, int length, int channels, int width, bool silu)
    {
        var problem = ConvProblem.Random(new Random(7), new ConvDims(batch, length, channels, width), silu);
        var got = problem.Reference();
        Closeness.Assert("dx", Differences(problem.X, x => problem with { X = x }), got.DX, Tolerance);
        Closeness.Assert("dWeight", Differences(problem.Weight, weight => problem with { Weight = weight }), got.DWeight, Tolerance);
        Closeness.Assert("dBias", Differences(problem.Bias!, bias => problem with { Bias = bias }), got.DBias, Tolerance);
        Closeness.Assert("dInitialState", Differences(problem.InitialState!, state => problem with { InitialState = state }), got.DInitialState, Tolerance);
    }

    private static double[] Differences(double[] at, Func<double[], ConvProblem> problem)
    {
        var differences = new double[at.Length];
        for (var i = 0; i < at.Length; i++)
        {
            var (up, down) = ((double[])at.Clone(), (double[])at.Clone());
            up[i] += Step;
            down[i] -= Step;
            differences[i] = (problem(up).Loss() - problem(down).Loss()) / (2 * Step);
        }

        return differences;
    }
}
