using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Optimizer;

public sealed class SumOfSquaresTests
{
    [Fact]
    public void Any_length_agrees_with_the_plain_loop_at_every_width_and_number_of_threads()
    {
        foreach (var length in new[] { 0, 1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 1000, 32768, 32769, 200_003 })
        {
            var values = RandomValues.Next(new Random(length), length);
            var want = values.Sum(v => v * v);
            using var rows = new GuardedRows<float>(1, length, 0, values);
            Closeness.Assert($"{length} values, plain loop", [want], [Reference.SumOfSquares.Of(rows.Rows)], 1e-12);
            foreach (var bits in SimdWidth.Supported)
            {
                using var forced = SimdWidth.Force(bits);
                var alone = SumOfSquares.Of(rows.Rows, threads: 1);
                Closeness.Assert($"{length} values, {bits} bits", [want], [alone], 1e-6);
                Bits.AssertSame($"{length} values, {bits} bits, 3 threads", [alone], [SumOfSquares.Of(rows.Rows, threads: 3)]);
            }
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_value_that_is_not_finite_shows_wherever_it_stands(double value)
    {
        foreach (var place in new[] { 0, 40, 66 })
        {
            var values = RandomValues.Next(new Random(2), 67);
            values[place] = value;
            using var rows = new GuardedRows<float>(1, 67, 0, values);
            Assert.False(double.IsFinite(SumOfSquares.Of(rows.Rows)));
        }
    }

    [Fact]
    public void Gaps_between_rows_are_refused()
    {
        using var rows = new GuardedRows<float>(3, 4, 2);
        var error = Assert.Throws<ArgumentException>(() => SumOfSquares.Of(rows.Rows));
        Assert.StartsWith("SumOfSquares: values has rows of 4 elements that start 6 elements apart; expected no gaps.", error.Message, StringComparison.Ordinal);
    }
}
