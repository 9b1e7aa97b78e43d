using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class DropoutSourceTests
{
    [Fact]
    public void Values_are_dropped_at_the_given_rate_and_the_others_scaled()
    {
        using var scope = NewDisposeScope();
        var dropout = new DropoutSource(0.25, seed: 1);
        var y = dropout.Apply(ones(200, 100), training: true).data<float>().ToArray();
        Assert.All(y, v => Assert.True(v == 0 || Math.Abs(v - 1 / 0.75f) < 1e-6));
        Assert.InRange(y.Count(v => v == 0) / 20000.0, 0.25 - 0.016, 0.25 + 0.016); // 5 standard errors
    }

    [Fact]
    public void Outside_of_training_nothing_is_dropped()
    {
        using var scope = NewDisposeScope();
        var dropout = new DropoutSource(0.5, seed: 1);
        var x = ones(10);
        Assert.Same(x, dropout.Apply(x, training: false));
    }

    [Fact]
    public void The_gradient_is_dropped_where_the_value_was()
    {
        using var scope = NewDisposeScope();
        var dropout = new DropoutSource(0.5, seed: 1);
        var x = ones(1000).requires_grad_(true);
        var y = dropout.Apply(x, training: true);
        y.sum().backward();
        TensorAssert.BitEqual(y, x.grad!, "gradient");
    }

    [Fact]
    public void Masks_come_from_the_seed_alone_and_leave_the_global_generator_alone()
    {
        using var scope = NewDisposeScope();
        var dropout = new DropoutSource(0.5, seed: 1);
        var x = ones(100);
        manual_seed(1);
        var before = rand(3);
        manual_seed(1);
        var first = dropout.Apply(x, true);
        var second = dropout.Apply(x, true);
        TensorAssert.BitEqual(before, rand(3), "the next global numbers");
        Assert.False(first.allclose(second));
        dropout.Reseed(1);
        TensorAssert.BitEqual(first, dropout.Apply(x, true), "after reseeding");
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void A_rate_outside_of_0_to_1_is_refused(double rate) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DropoutSource(rate, seed: 1));
}
