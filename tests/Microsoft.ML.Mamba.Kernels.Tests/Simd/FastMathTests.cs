namespace Microsoft.ML.Mamba.Kernels.Tests.Simd;

/// <summary>The errors that the documentation of <see cref="FastMath"/> states, for every vector width.</summary>
public class FastMathTests
{
    private const int Samples = 20_000;

    public static TheoryData<int> Widths => [.. SimdWidth.Supported];

    private delegate double Function(double x);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp2_keeps_its_error(int bits)
    {
        AssertRelative(bits, FastFunction.Exp2, x => Math.Pow(2, x), -126, 127.9, _ => 2.0e-7);
        AssertRelative(bits, FastFunction.Exp2NonPositive, x => Math.Pow(2, x), -126, 0, _ => 2.0e-7);
        AssertRelative(bits, FastFunction.Exp2NonPositive, x => Math.Pow(2, x), -0.01, 0, _ => 2.0e-7);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp2_with_constants_in_registers_keeps_its_error(int bits)
    {
        AssertRelative(bits, FastFunction.Exp2InRegisters, x => Math.Pow(2, x), -126, 127.9, _ => 2.0e-7);
        AssertRelative(bits, FastFunction.Exp2InRegisters, x => Math.Pow(2, x), -0.1, 0.1, _ => 1.5e-7);
        Assert.Equal([float.PositiveInfinity, float.PositiveInfinity, 1f, 1f], Evaluate(bits, FastFunction.Exp2InRegisters, [128f, 1e30f, 0f, -0f]));
        Assert.All(Evaluate(bits, FastFunction.Exp2InRegisters, [-127f, -1e10f, -1e38f]), y => Assert.InRange(y, 0f, 1.2e-38f));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp2_saturates_outside_its_interval(int bits)
    {
        Assert.Equal(
            [float.PositiveInfinity, float.PositiveInfinity, float.PositiveInfinity, 1f, 1f],
            Evaluate(bits, FastFunction.Exp2, [128f, 1e30f, float.PositiveInfinity, 0f, -0f]));
        Assert.All(Evaluate(bits, FastFunction.Exp2, [-127f, -1e10f, -1e38f, float.NegativeInfinity]), y => Assert.InRange(y, 0f, 1.2e-38f));
        Assert.All(Evaluate(bits, FastFunction.Exp2NonPositive, [-127f, -1e10f, -1e38f, float.NegativeInfinity]), y => Assert.InRange(y, 0f, 1.2e-38f));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp_keeps_its_error(int bits)
    {
        AssertRelative(bits, FastFunction.Exp, Math.Exp, -87, 88.7, x => 2.0e-7 + 8e-8 * Math.Abs(x));
        AssertRelative(bits, FastFunction.ExpNonPositive, Math.Exp, -87, 0, x => 2.0e-7 + 8e-8 * Math.Abs(x));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softplus_keeps_its_error(int bits)
    {
        AssertRelative(bits, FastFunction.Softplus, Softplus, -87, 30, x => 4e-7 + 8e-8 * Math.Max(0, -x));
        Assert.Equal([20f, 50f, 3e38f, float.PositiveInfinity], Evaluate(bits, FastFunction.Softplus, [20f, 50f, 3e38f, float.PositiveInfinity]));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sigmoid_and_SiLU_keep_their_errors(int bits)
    {
        AssertRelative(bits, FastFunction.Sigmoid, x => 1 / (1 + Math.Exp(-x)), -87, 100, x => 3e-7 + 8e-8 * Math.Max(0, -x));
        AssertRelative(bits, FastFunction.Silu, x => x / (1 + Math.Exp(-x)), -87, 100, x => 3.6e-7 + 8e-8 * Math.Max(0, -x));
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Reference.ScanStep.LogOnePlus(Math.Exp(-Math.Abs(x)));

    private static void AssertRelative(int bits, FastFunction function, Function exact, double low, double high, Func<double, double> bound)
    {
        var x = Enumerable.Range(0, Samples).Select(i => (float)(low + (high - low) * i / (Samples - 1))).ToArray();
        var y = Evaluate(bits, function, x);
        for (var i = 0; i < x.Length; i++)
        {
            var want = exact(x[i]);
            Assert.True(Math.Abs(y[i] - want) <= bound(x[i]) * Math.Abs(want), $"{function}({x[i]:R}) = {y[i]:R}; expected {want:R} within {bound(x[i]):R}, relative error {y[i] / want - 1:R}.");
        }
    }

    private static float[] Evaluate(int bits, FastFunction function, float[] x)
    {
        using var width = SimdWidth.Force(bits);
        var y = new float[x.Length];
        SimdWidth.Dispatch(new Evaluation(function, x, y));
        return y;
    }

    public enum FastFunction
    {
        Exp2,
        Exp2InRegisters,
        Exp2NonPositive,
        Exp,
        ExpNonPositive,
        Softplus,
        Sigmoid,
        Silu,
    }

    private readonly struct Evaluation(FastFunction function, float[] x, float[] y) : IVectorBody
    {
        // All lanes are equal and their number is a power of two: the sum divided by it is the lane, exactly.
        public void Run<V>()
            where V : struct, IFloatVector<V>
        {
            for (var i = 0; i < x.Length; i++)
            {
                var lanes = Apply(V.Broadcast(x[i]));
                var small = V.Sum(lanes);
                y[i] = small < 1 ? small / V.Count : V.Sum(lanes * V.Broadcast(1f / V.Count));
            }
        }

        private V Apply<V>(V x)
            where V : struct, IFloatVector<V> => function switch
        {
            FastFunction.Exp2 => FastMath.Exp2(x),
            FastFunction.Exp2InRegisters => Microsoft.ML.Mamba.Kernels.Exp2<V>.Load().Of(x),
            FastFunction.Exp2NonPositive => FastMath.Exp2NonPositive(x),
            FastFunction.Exp => FastMath.Exp(x),
            FastFunction.ExpNonPositive => FastMath.ExpNonPositive(x),
            FastFunction.Softplus => FastMath.Softplus(x),
            FastFunction.Sigmoid => FastMath.Sigmoid(x),
            _ => FastMath.Silu(x),
        };
    }
}
