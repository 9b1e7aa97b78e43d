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

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void The_gradient_of_x_is_written_where_it_is_wanted_or_refused(string backend)
    {
        using var scope = NewDisposeScope();
        var kernels = (IBackwardKernels)KernelBackends.All.First(b => b.Name == backend);
        var inputs = new ConvInputs(randn(2, 5, 3), randn(3, 4), null, null, Silu: true);
        var dy = randn(2, 5, 3);
        var wide = zeros(2, 5, 6);

        var apart = kernels.CausalConv1dBackward(inputs, dy, null, ConvOperands.X).X!;
        kernels.CausalConv1dBackward(inputs, dy, null, ConvOperands.X, wide.narrow(2, 3, 3));
        var error = Assert.Throws<ArgumentException>(() => kernels.CausalConv1dBackward(inputs, dy, null, ConvOperands.X, zeros(2, 3, 5).transpose(1, 2)));

        Assert.Equal(apart.data<float>().ToArray(), wide.narrow(2, 3, 3).contiguous().data<float>().ToArray());
        Assert.All(wide.narrow(2, 0, 3).contiguous().data<float>().ToArray(), value => Assert.Equal(0, value));
        Assert.StartsWith("dx has strides (15, 1, 5); expected rows of neighbouring elements that start evenly apart, since it is written.", error.Message, StringComparison.Ordinal);
    }
}
