using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>What the update of weights refuses; what it computes is in AdamWOptimizerTests.</summary>
public sealed class AdamWTests
{
    [Fact]
    public void A_guard_without_meaning_is_refused_and_nothing_changes()
    {
        using var scope = NewDisposeScope();
        var weight = ones(3);
        var settings = new Kernels.AdamWStep { Number = 1, LearningRate = 0.1, Beta1 = 0.9, Beta2 = 0.99 };
        void Refused(string message, Tensor loss, Tensor squares, double maxNorm) =>
            Assert.StartsWith(message, Assert.Throws<ArgumentException>(() =>
                AdamW.Step([new AdamWWeight(weight, ones(3), zeros(3), zeros(3), settings)], new AdamWGuard(loss, squares, maxNorm))).Message, StringComparison.Ordinal);

        Refused("AdamW: the loss has 2 elements; expected 1.", ones(2), ones(1, ScalarType.Float64), 1);
        Refused("AdamW: the sum of squares is 1 × Float32; expected 1 × Float64.", ones(1), ones(1), 1);
        Refused("AdamW: the sum of squares is 2 × Float64; expected 1 × Float64.", ones(1), ones(2, ScalarType.Float64), 1);
        Refused("AdamW: MaxNorm is -1; expected ≥ 0.", ones(1), ones(1, ScalarType.Float64), -1);
        Refused("AdamW: MaxNorm is NaN; expected ≥ 0.", ones(1), ones(1, ScalarType.Float64), double.NaN);
        Assert.Equal([1f, 1f, 1f], weight.data<float>().ToArray());
    }

    [Fact]
    public void Without_gradients_there_is_no_sum_of_squares() =>
        Assert.StartsWith("SumOfSquares: there are no gradients; expected at least one", Assert.Throws<ArgumentException>(() => AdamW.SumOfSquares([])).Message, StringComparison.Ordinal);
}
