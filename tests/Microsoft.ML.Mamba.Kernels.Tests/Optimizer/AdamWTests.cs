using System.Numerics;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Optimizer;

/// <summary>The plain loop against a step worked out by hand; the fast body against the plain loop; threads; arguments.</summary>
public sealed class AdamWTests
{
    private const double FloatTolerance = 1e-6;

    private static readonly AdamWStep First = new() { Number = 1, LearningRate = 0.1, Beta1 = 0.9, Beta2 = 0.98, Epsilon = 1e-3, WeightDecay = 0.5, GradientScale = 0.5 };

    private delegate void Body<T>(Rows<T> weight, Rows<T> gradient, Rows<T> firstMoment, Rows<T> secondMoment, in AdamWStep step)
        where T : unmanaged;

    [Fact]
    public void The_first_step_moves_each_weight_by_the_rate_against_the_sign_of_its_gradient()
    {
        var state = new State([2, -4, 1], [0, 0, 0], [0, 0, 0]);

        var after = Run<double>(state, [6, -2, 0], First, Reference.AdamW.Step);

        // g = 3, -1, 0; m = 0.1·g and v = 0.02·g², which the corrections turn back into g and g².
        Closeness.Assert("m", [0.3, -0.1, 0], after.FirstMoment, 1e-12);
        Closeness.Assert("v", [0.18, 0.02, 0], after.SecondMoment, 1e-12);
        Closeness.Assert("weight", [(2 * 0.95) - (0.1 * 3 / 3.001), (-4 * 0.95) + (0.1 * 1 / 1.001), 0.95], after.Weight, 1e-12);
    }

    [Fact]
    public void A_constant_gradient_moves_weights_by_the_rate_in_every_step()
    {
        var state = new State([0], [0], [0]);
        for (var number = 1; number <= 50; number++)
        {
            state = Run<double>(state, [0.25], First with { Number = number, WeightDecay = 0, Epsilon = 1e-12 }, Reference.AdamW.Step);
        }

        Closeness.Assert("weight after 50 steps of 0.1", [-5], state.Weight, 1e-9);
    }

    [Fact]
    public void Ten_steps_of_any_length_agree_with_the_plain_loop_at_every_width()
    {
        foreach (var length in new[] { 0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 257, 16384, 16385, 50_001 })
        {
            foreach (var bits in SimdWidth.Supported)
            {
                using var forced = SimdWidth.Force(bits);
                AssertTenStepsAgree(length, threads: 0, $"{length} weights, {bits} bits");
            }
        }
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        var (state, random) = (Some(100_003), new Random(5));
        var gradient = RandomValues.Next(random, 100_003);
        var want = Run<float>(state, gradient, First, Fast(1));
        foreach (var threads in new[] { 2, 3, 8 })
        {
            var got = Run<float>(state, gradient, First, Fast(threads));
            Bits.AssertSame($"weight, {threads} threads", want.Weight, got.Weight);
            Bits.AssertSame($"m, {threads} threads", want.FirstMoment, got.FirstMoment);
            Bits.AssertSame($"v, {threads} threads", want.SecondMoment, got.SecondMoment);
        }
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named()
    {
        using var memory = new NativeArray<float>(64);
        var (four, five) = (memory.AsRows(1, 4, 4, 0), memory.AsRows(1, 5, 5, 8));
        Throws("AdamW.Step: gradient has shape (1, 5); expected the shape = (1, 4).", () => AdamW.Step(four, five, four, four, First));
        Throws("AdamW.Step: firstMoment is absent; expected the shape = (1, 4).", () => AdamW.Step(four, four, default, four, First));
        Throws("AdamW.Step: weight has rows of 4 elements that start 6 elements apart; expected no gaps.", () => AdamW.Step(memory.AsRows(2, 4, 6, 0), four, four, four, First));
        Throws("AdamW.Step: Number is 0; expected ≥ 1.", () => AdamW.Step(four, four, four, four, First with { Number = 0 }));
        Throws("AdamW.Step: LearningRate is NaN; expected a finite number ≥ 0.", () => AdamW.Step(four, four, four, four, First with { LearningRate = double.NaN }));
        Throws("AdamW.Step: Beta1 is 1; expected a number from 0 to below 1.", () => AdamW.Step(four, four, four, four, First with { Beta1 = 1 }));
        Throws("AdamW.Step: Beta2 is -0.1; expected a number from 0 to below 1.", () => AdamW.Step(four, four, four, four, First with { Beta2 = -0.1 }));
        Throws("AdamW.Step: Epsilon is 0; expected a finite number > 0.", () => AdamW.Step(four, four, four, four, First with { Epsilon = 0 }));
        Throws("AdamW.Step: WeightDecay is -1; expected a finite number ≥ 0.", () => AdamW.Step(four, four, four, four, First with { WeightDecay = -1 }));
        Throws("AdamW.Step: GradientScale is Infinity; expected a finite number.", () => AdamW.Step(four, four, four, four, First with { GradientScale = double.PositiveInfinity }));
    }

    private static void AssertTenStepsAgree(int length, int threads, string what)
    {
        var (want, got, random) = (Some(length), Some(length), new Random(length));
        for (var number = 1; number <= 10; number++)
        {
            var (step, gradient) = (First with { Number = number, LearningRate = 0.01, Epsilon = 1e-8 }, RandomValues.Next(random, length));
            want = Run<double>(want, gradient, step, Reference.AdamW.Step);
            got = Run<float>(got, gradient, step, Fast(threads));
        }

        Closeness.Assert($"{what}: weight", want.Weight, got.Weight, FloatTolerance);
        Closeness.Assert($"{what}: m", want.FirstMoment, got.FirstMoment, FloatTolerance);
        Closeness.Assert($"{what}: v", want.SecondMoment, got.SecondMoment, FloatTolerance);
    }

    private static State Some(int length) => new(RandomValues.Next(new Random(1), length), new double[length], new double[length]);

    private static Body<float> Fast(int threads) =>
        (Rows<float> weight, Rows<float> gradient, Rows<float> firstMoment, Rows<float> secondMoment, in AdamWStep step) =>
            AdamW.Step(weight, gradient, firstMoment, secondMoment, step, threads);

    private static State Run<T>(State before, double[] gradient, in AdamWStep step, Body<T> body)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var weight = new GuardedRows<T>(1, gradient.Length, 0, before.Weight);
        using var g = new GuardedRows<T>(1, gradient.Length, 0, gradient);
        using var firstMoment = new GuardedRows<T>(1, gradient.Length, 0, before.FirstMoment);
        using var secondMoment = new GuardedRows<T>(1, gradient.Length, 0, before.SecondMoment);
        body(weight.Rows, g.Rows, firstMoment.Rows, secondMoment.Rows, step);
        Bits.AssertSame("gradient", gradient, g.Read("gradient"));
        return new State(weight.Read("weight"), firstMoment.Read("firstMoment"), secondMoment.Read("secondMoment"));
    }

    private static void Throws(string text, Action call) => Assert.StartsWith(text, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);

    private sealed record State(double[] Weight, double[] FirstMoment, double[] SecondMoment);
}
