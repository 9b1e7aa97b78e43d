using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>The fast body against the plain loops in double, over shapes, options and row strides.</summary>
public class CausalConv1dShapeTests
{
    // Float sums of up to some thousand terms, relative to the largest result.
    private const double Tolerance = 1e-5;

    [Fact]
    public void Random_shapes_agree_with_the_plain_loops_at_every_width()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            var dims = new ConvDims(
                RandomValues.Pick(random, 1, 1, 2, 3, 5),
                RandomValues.Pick(random, 0, 1, 2, 3, 4, 5, 7, 8, 11, 16, 29, 61),
                RandomValues.Pick(random, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67, 97),
                random.Next(ConvDims.MinWidth, ConvDims.MaxWidth + 1));
            var problem = ConvProblem.Random(random, dims, Flip(random), Flip(random), Flip(random), Flip(random));
            AssertAgrees(problem, random.Next(0, 20), $"seed {seed}, {dims}");
        }
    }

    /// <summary>Shapes of several work items: blocks that end inside sequences, and more channels than one item takes.</summary>
    [Theory]
    [InlineData(1, 300, 127, 4)]
    [InlineData(7, 61, 131, 8)]
    [InlineData(2, 130, 1031, 4)]
    [InlineData(1, 20, 2053, 3)]
    public void Shapes_of_many_items_agree_with_the_plain_loops(int batch, int length, int channels, int width)
    {
        var dims = new ConvDims(batch, length, channels, width);
        AssertAgrees(ConvProblem.Random(new Random(1), dims), gap: 9, $"{dims}");
    }

    [Fact]
    public void A_batch_of_nothing_has_zero_gradients()
    {
        var got = ConvProblem.Random(new Random(1), new ConvDims(0, 5, 3, 4)).Fast();
        Assert.Empty(got.Y);
        Assert.Equal(new double[12], got.DWeight);
        Assert.Equal(new double[3], got.DBias);
    }

    [Fact]
    public void Outputs_that_are_not_wanted_may_be_absent()
    {
        var dims = new ConvDims(2, 9, 5, 4);
        var problem = ConvProblem.Random(new Random(3), dims);
        using var x = new GuardedRows<float>(18, 5, 0, problem.X);
        using var weight = new GuardedRows<float>(5, 4, 0, problem.Weight);
        using var bias = new GuardedRows<float>(1, 5, 0, problem.Bias);
        using var state = new GuardedRows<float>(6, 5, 0, problem.InitialState);
        using var dy = new GuardedRows<float>(18, 5, 0, problem.DY);
        using var dFinalState = new GuardedRows<float>(6, 5, 0, problem.DFinalState);
        var all = new CausalConv1dBackward<float>
        {
            Dims = dims,
            X = x.Rows,
            Weight = weight.Rows,
            Bias = bias.Rows,
            InitialState = state.Rows,
            Silu = true,
            DY = dy.Rows,
            DFinalState = dFinalState.Rows,
        };
        var want = problem.Fast();
        CausalConv1d.Backward(all);
        Only("dx", want.DX, 18, 5, rows => all with { DX = rows });
        Only("dWeight", want.DWeight, 5, 4, rows => all with { DWeight = rows });
        Only("dBias", want.DBias, 1, 5, rows => all with { DBias = rows });
        Only("dInitialState", want.DInitialState, 6, 5, rows => all with { DInitialState = rows });

        static void Only(string name, double[] want, int count, int width, Func<Rows<float>, CausalConv1dBackward<float>> with)
        {
            using var output = new GuardedRows<float>(count, width);
            CausalConv1d.Backward(with(output.Rows));
            Bits.AssertSame(name, want, output.Read(name));
        }
    }

    [Fact]
    public void Large_inputs_saturate_without_NaN()
    {
        var problem = ConvProblem.Random(new Random(5), new ConvDims(1, 12, 19, 4));
        problem = problem with { X = [.. problem.X.Select(v => (double)(float)(v * 1000))] };

        // Sums of thousands that cancel to about 1 keep three digits in float.
        AssertAgrees(problem, 0, "inputs up to 2000", tolerance: 1e-3);
    }

    private static void AssertAgrees(ConvProblem problem, int gap, string what, double tolerance = Tolerance)
    {
        var want = problem.Reference();
        problem.ReferenceInFloat(gap).AssertClose($"{what}, plain loops on floats", want, 1e-6);
        foreach (var bits in SimdWidth.Supported)
        {
            using var forced = SimdWidth.Force(bits);
            problem.Fast(gap: gap).AssertClose($"{what}, {bits} bits", want, tolerance);
        }
    }

    private static bool Flip(Random random) => random.Next(2) == 0;
}
