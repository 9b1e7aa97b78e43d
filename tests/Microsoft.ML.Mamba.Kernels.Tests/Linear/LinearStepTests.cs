using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Linear;

public sealed class LinearStepTests
{
    private static readonly (int Rows, int Outputs, int Inputs)[] Shapes =
        [(1, 1, 1), (1, 7, 15), (2, 3, 16), (3, 65, 17), (1, 33, 63), (4, 16, 64), (2, 5, 65), (1, 200, 768), (9, 37, 130), (1, 3, 40_000), (2, 4, 0)];

    public static TheoryData<int> Widths => [.. SimdWidth.Supported];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Any_shape_agrees_with_the_plain_loops(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        foreach (var shape in Shapes)
        {
            foreach (var (gap, biased) in new[] { (0, true), (3, false) })
            {
                using var problem = new Problem(shape.Rows, shape.Outputs, shape.Inputs, gap, biased);
                var what = $"{shape}, gap {gap}, bias {biased}";
                LinearStep.Apply(problem.X.Rows, problem.Weight.Rows, problem.BiasRows, problem.Y.Rows);
                Closeness.Assert(what, problem.Want(), problem.Y.Read(what), 5e-6); // 40,000 products in four scalar sums
            }
        }
    }

    [Fact]
    public void The_plain_loops_sum_in_double()
    {
        using var problem = new Problem(3, 5, 70, gap: 2, biased: true);
        Reference.LinearStep.Apply(problem.X.Rows, problem.Weight.Rows, problem.BiasRows, problem.Y.Rows);
        Closeness.Assert("y", problem.Want(), problem.Y.Read("y"), 1e-7);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_number_of_threads_changes_no_bit(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        using var problem = new Problem(3, 300, 500, gap: 0, biased: true);
        var alone = Run(problem, threads: 1);
        foreach (var threads in new[] { 2, 3, 8 })
        {
            Bits.AssertSame($"{threads} threads", alone, Run(problem, threads));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_row_does_not_depend_on_the_others(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        using var problem = new Problem(5, 40, 131, gap: 0, biased: true);
        var together = Run(problem, threads: 2);
        for (var row = 0; row < 5; row++)
        {
            using var x = new GuardedRows<float>(1, 131, 0, problem.X.Read("x")[(row * 131)..((row + 1) * 131)]);
            using var y = new GuardedRows<float>(1, 40);
            LinearStep.Apply(x.Rows, problem.Weight.Rows, problem.BiasRows, y.Rows);
            Bits.AssertSame($"row {row}", together[(row * 40)..((row + 1) * 40)], y.Read("y"));
        }
    }

    [Fact]
    public void A_shape_that_does_not_fit_is_named()
    {
        using var problem = new Problem(2, 3, 4, gap: 0, biased: true);
        using var wide = new GuardedRows<float>(3, 5);
        Throws("LinearStep: weight has shape (3, 5); expected (outputs, inputs) = (3, 4).", problem.X.Rows, wide.Rows, problem.BiasRows, problem.Y.Rows);
        Throws("LinearStep: bias has shape (3, 5); expected (1, outputs) = (1, 3).", problem.X.Rows, problem.Weight.Rows, wide.Rows, problem.Y.Rows);
        Throws("LinearStep: x has shape (3, 5); expected (B, inputs) = (2, 5).", wide.Rows, wide.Rows, default, problem.Y.Rows);
        using var square = new GuardedRows<float>(3, 3);
        Throws("LinearStep: y lies at the address of x; expected memory of its own.", square.Rows, square.Rows, default, square.Rows);
    }

    private static double[] Run(Problem problem, int threads)
    {
        LinearStep.Apply(problem.X.Rows, problem.Weight.Rows, problem.BiasRows, problem.Y.Rows, threads);
        return problem.Y.Read("y");
    }

    private static void Throws(string start, Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y)
    {
        var error = Assert.Throws<ArgumentException>(() => LinearStep.Apply(x, weight, bias, y));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Random operands and room for the result.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly int _rows, _outputs, _inputs;
        private readonly GuardedRows<float> _bias;
        private readonly bool _biased;

        public Problem(int rows, int outputs, int inputs, int gap, bool biased)
        {
            (_rows, _outputs, _inputs, _biased) = (rows, outputs, inputs, biased);
            var random = new Random(rows + outputs + inputs);
            X = new GuardedRows<float>(rows, inputs, gap, RandomValues.Next(random, rows * inputs));
            Weight = new GuardedRows<float>(outputs, inputs, gap, RandomValues.Next(random, outputs * inputs));
            _bias = new GuardedRows<float>(1, outputs, 0, RandomValues.Next(random, outputs));
            Y = new GuardedRows<float>(rows, outputs, gap);
        }

        public GuardedRows<float> X { get; }

        public GuardedRows<float> Weight { get; }

        public GuardedRows<float> Y { get; }

        public Rows<float> BiasRows => _biased ? _bias.Rows : default;

        public double[] Want()
        {
            var (x, weight, bias) = (X.Read("x"), Weight.Read("weight"), _bias.Read("bias"));
            return [.. Enumerable.Range(0, _rows * _outputs).Select(i => (_biased ? bias[i % _outputs] : 0)
                + Enumerable.Range(0, _inputs).Sum(c => x[(i / _outputs * _inputs) + c] * weight[(i % _outputs * _inputs) + c]))];
        }

        public void Dispose()
        {
            X.Dispose();
            Weight.Dispose();
            _bias.Dispose();
            Y.Dispose();
        }
    }
}
