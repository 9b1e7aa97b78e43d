using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>State carried over, single steps, causality, and independence of neighbours and threads.</summary>
public class CausalConv1dStateTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void A_split_anywhere_with_the_state_carried_over_equals_one_pass(int width)
    {
        const int Length = 11;
        var problem = ConvProblem.Random(new Random(2), new ConvDims(2, Length, 19, width));
        var whole = problem.Fast();
        for (var at = 0; at <= Length; at++)
        {
            var firstFinal = problem.Slice(0, at, problem.InitialState, null).Fast().FinalState;
            var second = problem.Slice(at, Length, firstFinal, problem.DFinalState).Fast();
            var first = problem.Slice(0, at, problem.InitialState, second.DInitialState).Fast();
            Bits.AssertSame($"y before {at}", problem.Steps(whole.Y, 0, at), first.Y);
            Bits.AssertSame($"y from {at}", problem.Steps(whole.Y, at, Length), second.Y);
            Bits.AssertSame($"finalState, split at {at}", whole.FinalState, second.FinalState);
            Closeness.Assert($"dx before {at}", problem.Steps(whole.DX, 0, at), first.DX, 1e-6);
            Closeness.Assert($"dx from {at}", problem.Steps(whole.DX, at, Length), second.DX, 1e-6);
            Closeness.Assert($"dInitialState, split at {at}", whole.DInitialState, first.DInitialState, 1e-6);
            Closeness.Assert($"dWeight, split at {at}", whole.DWeight, [.. first.DWeight.Zip(second.DWeight, (a, b) => a + b)], 1e-6);
            Closeness.Assert($"dBias, split at {at}", whole.DBias, [.. first.DBias.Zip(second.DBias, (a, b) => a + b)], 1e-6);
        }
    }

    [Fact]
    public void Single_steps_equal_one_pass_at_every_width()
    {
        foreach (var bits in SimdWidth.Supported)
        {
            using var forced = SimdWidth.Force(bits);
            for (var width = ConvDims.MinWidth; width <= ConvDims.MaxWidth; width++)
            {
                AssertStepsEqualForward(ConvProblem.Random(new Random(width), new ConvDims(3, 10, 21, width)));
            }
        }
    }

    [Fact]
    public void An_input_changes_no_output_before_it_and_no_other_sequence()
    {
        const int Length = 9;
        var problem = ConvProblem.Random(new Random(4), new ConvDims(3, Length, 18, 4));
        var before = problem.Fast().Y;
        for (var t = 0; t < Length; t++)
        {
            var x = (double[])problem.X.Clone();
            for (var c = 0; c < 18; c++)
            {
                x[(Length + t) * 18 + c] += 1;
            }

            var after = (problem with { X = x }).Fast().Y;
            for (var i = 0; i < after.Length; i++)
            {
                var (b, step) = (i / 18 / Length, i / 18 % Length);
                var sees = b == 1 && step >= t && step < t + 4;
                Assert.True(sees || before[i] == after[i], $"x[1, {t}] changed y[{b}, {step}].");
            }
        }
    }

    [Fact]
    public void A_sequence_alone_has_the_bits_that_it_has_in_a_batch()
    {
        const int Length = 37;
        var problem = ConvProblem.Random(new Random(6), new ConvDims(5, Length, 23, 4), initialState: false, dFinalState: false);
        var together = problem.Fast();
        for (var b = 0; b < 5; b++)
        {
            var rows = (b * Length * 23)..((b + 1) * Length * 23);
            var alone = (problem with { Dims = problem.Dims with { Batch = 1 }, X = problem.X[rows], DY = problem.DY[rows] }).Fast();
            Bits.AssertSame($"y of sequence {b}", together.Y[rows], alone.Y);
            Bits.AssertSame($"dx of sequence {b}", together.DX[rows], alone.DX);
        }
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        foreach (var dims in new[] { new ConvDims(3, 233, 160, 4), new ConvDims(1, 200, 1100, 8) })
        {
            var problem = ConvProblem.Random(new Random(8), dims);
            var want = problem.Fast(threads: 1);
            foreach (var threads in new[] { 2, 3, 8 })
            {
                problem.Fast(threads).AssertSameBits($"{dims}, {threads} threads", want);
            }
        }
    }

    private static void AssertStepsEqualForward(ConvProblem problem)
    {
        var (want, dims) = (problem.Fast(), problem.Dims with { Length = 1 });
        using var weight = new GuardedRows<float>(dims.Channels, dims.Width, 0, problem.Weight);
        using var bias = new GuardedRows<float>(1, dims.Channels, 0, problem.Bias);
        using var state = new GuardedRows<float>(dims.Batch * dims.History, dims.Channels, 0, problem.InitialState);
        using var y = new GuardedRows<float>(dims.Batch, dims.Channels);
        for (var t = 0; t < problem.Dims.Length; t++)
        {
            using var x = new GuardedRows<float>(dims.Batch, dims.Channels, 0, problem.Steps(problem.X, t, t + 1));
            CausalConv1d.Step(new CausalConv1dStep<float>
            {
                Dims = dims,
                State = state.Rows,
                X = x.Rows,
                Weight = weight.Rows,
                Bias = bias.Rows,
                Silu = true,
                Y = y.Rows,
            });
            Bits.AssertSame($"width {dims.Width}: y of step {t}", problem.Steps(want.Y, t, t + 1), y.Read("y"));
        }

        Bits.AssertSame($"width {dims.Width}: state after the last step", want.FinalState, state.Read("state"));
    }
}
