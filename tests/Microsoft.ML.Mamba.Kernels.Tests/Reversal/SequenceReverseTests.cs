using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Reversal;

public class SequenceReverseTests
{
    [Fact]
    public void Each_sequence_is_reversed_within_its_length_and_padding_stays()
    {
        using var x = new GuardedRows<float>(8, 2, 0, [0, 1, 10, 11, 20, 21, 30, 31, 100, 101, 110, 111, 120, 121, 130, 131]);
        using var y = new GuardedRows<float>(8, 2);
        SequenceReverse.Apply(x.Rows, [3, 0], 4, y.Rows);
        Assert.Equal([20, 21, 10, 11, 0, 1, 30, 31, 100, 101, 110, 111, 120, 121, 130, 131], y.Read("y"));
    }

    [Fact]
    public void Random_shapes_agree_with_the_plain_loops_and_twice_is_the_original()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var (batch, length, width) = (random.Next(0, 5), RandomValues.Pick(random, 0, 1, 2, 5, 17, 64), RandomValues.Pick(random, 1, 3, 16, 33));
            var lengths = Enumerable.Range(0, batch).Select(_ => random.Next(0, length + 1)).ToArray();
            var values = RandomValues.Next(random, (long)batch * length * width);
            using var x = new GuardedRows<float>(batch * length, width, random.Next(0, 9), values);
            using var want = new GuardedRows<float>(batch * length, width, random.Next(0, 9));
            using var y = new GuardedRows<float>(batch * length, width, random.Next(0, 9));
            using var again = new GuardedRows<float>(batch * length, width, random.Next(0, 9));
            Kernels.Reference.SequenceReverse.Apply(x.Rows, lengths, length, want.Rows);
            SequenceReverse.Apply(x.Rows, lengths, length, y.Rows);
            SequenceReverse.Apply(y.Rows, lengths, length, again.Rows);
            Assert.Equal(want.Read("want"), y.Read("y"));
            Assert.Equal(values, again.Read("again"));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Many_rows_are_reversed_on_any_number_of_threads(int threads)
    {
        const int Length = 3001;
        using var x = new NativeArray<long>([.. Enumerable.Range(0, 2 * Length * 16).Select(i => (long)i)]);
        using var y = new NativeArray<long>(x.Length);
        SequenceReverse.Apply(x.AsRows(2 * Length, 16), [Length, 2999], Length, y.AsRows(2 * Length, 16), threads);
        for (var row = 0; row < 2 * Length; row++)
        {
            var source = row < Length ? Length - 1 - row : row - Length < 2999 ? Length + 2998 - (row - Length) : row;
            Assert.Equal(source * 16, y[row * 16]);
            Assert.Equal(source * 16 + 15, y[row * 16 + 15]);
        }
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named()
    {
        using var memory = new NativeArray<float>(64);
        var rows = memory.AsRows(8, 4);
        AssertError("SequenceReverse: lengths[1] is 5; expected 0 to L = 4.", () => SequenceReverse.Apply(rows, [4, 5], 4, rows));
        AssertError("SequenceReverse: lengths[0] is -1; expected 0 to L = 4.", () => SequenceReverse.Apply(rows, [-1, 4], 4, rows));
        AssertError("SequenceReverse: length (L) is -2; expected ≥ 0.", () => SequenceReverse.Apply(rows, [], -2, rows));
        AssertError("SequenceReverse: x has shape (8, 4); expected (B·L, D) = (12, 4).", () => SequenceReverse.Apply(rows, [4, 4, 4], 4, rows));
        AssertError("SequenceReverse: y has shape (8, 3); expected (B·L, D) = (8, 4).", () => SequenceReverse.Apply(rows, [4, 4], 4, memory.AsRows(8, 3)));
        AssertError("SequenceReverse: y lies at the address of x; expected memory of its own.", () => SequenceReverse.Apply(rows, [4, 4], 4, rows));
    }

    private static void AssertError(string text, Action call) => Assert.StartsWith(text, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
}
