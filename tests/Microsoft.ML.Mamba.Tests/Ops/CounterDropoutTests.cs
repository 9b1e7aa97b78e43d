using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class CounterDropoutTests
{
    private const int Count = 1 << 20;

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.97)]
    public void Values_are_dropped_at_the_given_rate(double rate)
    {
        var dropped = Dropped(rate, 1);
        AssertShare(rate, dropped, _ => true);
    }

    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(1003, 0.5)]
    public void The_mask_that_tensor_operations_make_is_the_same(long count, double probability)
    {
        using var x = RandomTensor.Single(new Random(3), count);

        using var wanted = CounterDropout.Apply(x, probability, key: 0xFEDCBA9876543210);
        using var got = CounterDropout.MaskThere(x, probability, key: 0xFEDCBA9876543210);

        TensorAssert.Close(wanted, got, 1e-6, "y");
    }

    [Fact]
    public void Neighbours_and_keys_are_independent()
    {
        var (first, second) = (Dropped(0.5, 1), Dropped(0.5, 2));
        foreach (var distance in new[] { 1, 2, 4, 8, 16, 64, 1024 })
            AssertShare(0.5, [.. first.Skip(distance).Zip(first, (later, earlier) => later == earlier)], _ => true);
        AssertShare(0.5, [.. first.Zip(second, (a, b) => a == b)], _ => true);
        for (var bit = 0; bit < 20; bit++)
            AssertShare(0.5, first, i => (i >> bit & 1) == 1);
    }

    [Fact]
    public void The_mask_does_not_depend_on_the_shape_or_on_where_vectors_end()
    {
        using var scope = NewDisposeScope();
        var whole = CounterDropout.Apply(ones(37), 0.5, 7);
        TensorAssert.BitEqual(whole.narrow(0, 0, 12), CounterDropout.Apply(ones(3, 4), 0.5, 7).view(-1), "shape");
        for (var length = 0; length < 37; length++)
            TensorAssert.BitEqual(whole.narrow(0, 0, length), CounterDropout.Apply(ones(length), 0.5, 7), $"length {length}");
    }

    [Fact]
    public void Other_layouts_and_types_get_the_same_mask()
    {
        using var scope = NewDisposeScope();
        var x = RandomTensor.Single(new Random(1), 5, 7);
        var want = CounterDropout.Apply(x, 0.3, 9);
        TensorAssert.BitEqual(want, CounterDropout.Apply(x.t().contiguous().t(), 0.3, 9), "transposed");
        TensorAssert.Close(want, CounterDropout.Apply(x.to(float64), 0.3, 9), 1e-6, "float64");
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences()
    {
        using var scope = NewDisposeScope();
        GradientCheck.Run(o => [CounterDropout.Apply(o["x"], 0.4, 3)], new() { ["x"] = RandomTensor.Of(new Random(1), 6, 5) });
    }

    private static bool[] Dropped(double rate, ulong key)
    {
        using var scope = NewDisposeScope();
        return [.. CounterDropout.Apply(ones(Count), rate, key).data<float>().Select(value => value == 0)];
    }

    /// <summary>Within 5 standard errors.</summary>
    private static void AssertShare(double expected, bool[] values, Func<int, bool> among)
    {
        int count = 0, hits = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (!among(i))
                continue;
            count++;
            hits += values[i] ? 1 : 0;
        }

        var bound = 5 * Math.Sqrt(expected * (1 - expected) / count);
        Assert.True(Math.Abs((double)hits / count - expected) <= bound, $"{(double)hits / count}; expected {expected} ± {bound}");
    }
}
