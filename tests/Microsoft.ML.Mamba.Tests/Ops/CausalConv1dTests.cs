using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class CausalConv1dTests
{
    public static TheoryData<string, string> Float64Backends() => BackendCases.Of(["silu", "linear"], float64);

    [Theory]
    [MemberData(nameof(Float64Backends))]
    public void Gradients_are_those_of_finite_differences(string activation, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var inputs = new Dictionary<string, Tensor>
        {
            ["x"] = RandomTensor.Of(random, 2, 6, 3),
            ["weight"] = RandomTensor.Of(random, 3, 4),
            ["bias"] = RandomTensor.Of(random, 3),
            ["initial"] = RandomTensor.Of(random, 2, 3, 3),
        };

        GradientCheck.Run(
            o =>
            {
                var (y, last) = CausalConv1d.Forward(o["x"], o["weight"], o["bias"], o["initial"], activation == "silu", returnFinalState: true);
                return [y, last!];
            },
            inputs);
    }

    [Fact]
    public void A_filter_of_another_width_is_refused()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => CausalConv1d.Forward(zeros(1, 5, 2), zeros(2, 9), null));
        Assert.StartsWith("CausalConv1d: weight has W = 9 taps; expected 2 to 8.", error.Message, StringComparison.Ordinal);
    }
}
