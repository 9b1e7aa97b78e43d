using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class RmsNormTests
{
    public static TheoryData<string, string> Float64Backends() => BackendCases.Of(["with residual", "alone"], float64);

    [Theory]
    [MemberData(nameof(Float64Backends))]
    public void Gradients_are_those_of_finite_differences(string options, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var inputs = new Dictionary<string, Tensor> { ["x"] = RandomTensor.Of(random, 2, 3, 5), ["weight"] = RandomTensor.Of(random, 5) };
        if (options == "with residual")
            inputs["residual"] = RandomTensor.Of(random, 2, 3, 5);

        GradientCheck.Run(
            o =>
            {
                var (y, sum) = RmsNorm.Forward(o["x"], o.GetValueOrDefault("residual"), o["weight"], 1e-5);
                return [y, sum!];
            },
            inputs);
    }
}
