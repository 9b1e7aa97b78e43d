using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Norm;

/// <summary>Gradients in double against differences; the fast body against the plain loops; threads; outputs in place of inputs.</summary>
public class RmsNormTests
{
    private const double Step = 1e-5;

    // The differences' own error: Step² times a third derivative, and rounding of the loss over Step.
    private const double DifferenceTolerance = 1e-7;

    private const double FloatTolerance = 1e-5;

    [Theory]
    [InlineData(3, 5, true)]
    [InlineData(1, 1, true)]
    [InlineData(4, 8, false)]
    public void Every_gradient_is_the_derivative(int rows, int width, bool residual)
    {
        var problem = NormProblem.Random(new Random(9), rows, width, residual, dResidualOut: residual, epsilon: 1e-2);
        var got = problem.Reference();
        Closeness.Assert("dx", Differences(problem.X, x => problem with { X = x }), got.DX, DifferenceTolerance);
        Closeness.Assert("dWeight", Differences(problem.Weight, weight => problem with { Weight = weight }), got.DWeight, DifferenceTolerance);
        if (residual)
        {
            Closeness.Assert("dResidual", Differences(problem.Residual!, r => problem with { Residual = r }), got.DX, DifferenceTolerance);
        }
    }

    [Fact]
    public void Random_shapes_agree_with_the_plain_loops_at_every_width()
    {
        for (var seed = 0; seed < 80; seed++)
        {
            var random = new Random(seed);
            var (rows, width) = (RandomValues.Pick(random, 0, 1, 2, 5, 13, 67), RandomValues.Pick(random, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 129, 211));
            var (residual, keepSum) = (random.Next(2) == 0, random.Next(2) == 0);

            // In a row of one or two elements hardly anything but eps keeps dx from cancelling to rounding errors.
            var problem = NormProblem.Random(random, rows, width, residual, dResidualOut: random.Next(2) == 0, epsilon: width < 4 ? 0.5 : 1e-5);
            AssertAgrees(problem, random.Next(0, 20), keepSum || !residual, $"seed {seed}: {rows} rows of {width}");
            AssertAgrees(problem, 0, keepSum: false, $"seed {seed}: {rows} rows of {width}, sum not kept");
        }
    }

    [Theory]
    [InlineData(700, 96)]
    [InlineData(40, 2051)]
    public void Shapes_of_many_items_agree_with_the_plain_loops(int rows, int width) =>
        AssertAgrees(NormProblem.Random(new Random(1), rows, width), 5, keepSum: true, $"{rows} rows of {width}");

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        foreach (var (rows, width) in new[] { (700, 113), (130, 1024) })
        {
            var problem = NormProblem.Random(new Random(8), rows, width);
            var want = problem.Fast(threads: 1);
            foreach (var threads in new[] { 2, 3, 8 })
            {
                problem.Fast(threads).AssertSameBits($"{rows} rows of {width}, {threads} threads", want);
            }
        }
    }

    [Fact]
    public void A_row_does_not_depend_on_its_neighbours()
    {
        var problem = NormProblem.Random(new Random(3), 5, 37);
        var together = problem.Fast();
        for (var row = 0; row < 5; row++)
        {
            var part = (row * 37)..((row + 1) * 37);
            var alone = new NormProblem(1, 37, problem.Epsilon, problem.X[part], problem.Residual![part], problem.Weight, problem.DY[part], problem.DResidualOut![part]).Fast();
            Bits.AssertSame($"y of row {row}", together.Y[part], alone.Y);
            Bits.AssertSame($"dx of row {row}", together.DX[part], alone.DX);
        }
    }

    [Fact]
    public void Outputs_may_take_the_place_of_inputs()
    {
        var problem = NormProblem.Random(new Random(4), 9, 21);
        var want = problem.Fast();
        using var x = new GuardedRows<float>(9, 21, 2, problem.X);
        using var residual = new GuardedRows<float>(9, 21, 2, problem.Residual);
        using var weight = new GuardedRows<float>(1, 21, 0, problem.Weight);
        RmsNorm.Forward(x.Rows, residual.Rows, weight.Rows, problem.Epsilon, x.Rows, residual.Rows);
        Bits.AssertSame("y in x", want.Y, x.Read("x"));
        Bits.AssertSame("residualOut in residual", want.ResidualOut, residual.Read("residual"));

        using var dy = new GuardedRows<float>(9, 21, 1, problem.DY);
        using var dResidualOut = new GuardedRows<float>(9, 21, 1, problem.DResidualOut);
        RmsNorm.Backward(residual.Rows, weight.Rows, problem.Epsilon, dy.Rows, dResidualOut.Rows, dResidualOut.Rows, default);
        Bits.AssertSame("dx in dResidualOut", want.DX, dResidualOut.Read("dResidualOut"));
        RmsNorm.Backward(residual.Rows, weight.Rows, problem.Epsilon, dy.Rows, default, default, weight.Rows);
        Bits.AssertSame("dWeight in weight", want.DWeight, weight.Read("weight"));
    }

    [Fact]
    public void A_row_of_zeros_gives_zeros()
    {
        var problem = NormProblem.Random(new Random(5), 1, 19) with { X = new double[19], Residual = null, DResidualOut = null };
        Assert.Equal(new double[19], problem.Fast(keepSum: false).Y);
    }

    private static void AssertAgrees(NormProblem problem, int gap, bool keepSum, string what)
    {
        var want = problem.Reference();
        foreach (var bits in SimdWidth.Supported)
        {
            using var forced = SimdWidth.Force(bits);
            var got = problem.Fast(gap: gap, keepSum: keepSum);
            got.AssertClose($"{what}, {bits} bits", want, FloatTolerance);
        }
    }

    private static double[] Differences(double[] at, Func<double[], NormProblem> problem)
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
