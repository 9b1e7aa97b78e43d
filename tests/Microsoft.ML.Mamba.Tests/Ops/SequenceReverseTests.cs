using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class SequenceReverseTests
{
    private static readonly int[] Lengths = [4, 0, 1, 3];

    public static TheoryData<string> Backends() => BackendCases.All();

    public static TheoryData<string, string> Float64Backends() => BackendCases.Of(["x"], float64);

    [Theory]
    [MemberData(nameof(Backends))]
    public void Each_sequence_is_reversed_within_its_own_length(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var x = arange(32).to(float32).view(4, 4, 2);

        var y = SequenceReverse.Apply(x, Lengths);

        for (var row = 0; row < 4; row++)
        {
            for (var t = 0; t < 4; t++)
                TensorAssert.BitEqual(x[row, t < Lengths[row] ? Lengths[row] - 1 - t : t], y[row, t], $"row {row}, position {t}");
        }

        TensorAssert.BitEqual(x, SequenceReverse.Apply(y, Lengths), "twice");
    }

    [Theory]
    [MemberData(nameof(Float64Backends))]
    public void Gradients_are_those_of_finite_differences(string input, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        GradientCheck.Run(o => [SequenceReverse.Apply(o[input], Lengths)], new() { [input] = RandomTensor.Of(new Random(2), 4, 4, 2) });
    }

    [Fact]
    public void A_length_beyond_the_batch_is_named()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => SequenceReverse.Apply(zeros(1, 3, 2), [4]));
        Assert.StartsWith("SequenceReverse: a length is 4; expected 0 to L = 3 from x.", error.Message, StringComparison.Ordinal);
    }
}
