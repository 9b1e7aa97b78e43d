using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class LinearStepTests
{
    public static TheoryData<string> Backends => BackendCases.All();

    [Theory]
    [MemberData(nameof(Backends))]
    public void Every_backend_agrees_with_a_matrix_product_in_double(string backend)
    {
        using var scope = NewDisposeScope();
        using var force = KernelBackends.Force(backend);
        foreach (var (rows, outputs, inputs) in new[] { (1, 1, 1), (1, 80, 1536), (3, 7, 33), (8, 130, 48) })
        {
            var random = new Random(rows + outputs);
            var (x, weight, bias) = (RandomTensor.Single(random, rows, inputs), RandomTensor.Single(random, outputs, inputs), RandomTensor.Single(random, outputs));
            var want = mm(x.to(float64), weight.to(float64).t());

            TensorAssert.Close(want, LinearStep.Apply(x, weight).to(float64), 3e-6, $"{rows} × {inputs} → {outputs}");
            using Scalar one = 1;
            TensorAssert.Close(want.add(bias.to(float64), one), LinearStep.Apply(x, weight, bias).to(float64), 3e-6, $"{rows} × {inputs} → {outputs}, bias");
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Views_are_taken_as_they_are(string backend)
    {
        using var scope = NewDisposeScope();
        using var force = KernelBackends.Force(backend);
        var random = new Random(3);
        var (wide, weights, turned) = (RandomTensor.Single(random, 2, 50), RandomTensor.Single(random, 9, 40), RandomTensor.Single(random, 20, 9));
        var x = wide.narrow(1, 7, 20);

        TensorAssert.Close(LinearStep.Apply(x.contiguous(), weights.narrow(1, 11, 20).contiguous()), LinearStep.Apply(x, weights.narrow(1, 11, 20)), 1e-6, "columns");
        TensorAssert.Close(LinearStep.Apply(x, turned.t().contiguous()), LinearStep.Apply(x, turned.t()), 1e-6, "transposed weight");
    }

    [Fact]
    public void A_shape_that_does_not_fit_is_named()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (zeros(2, 5), zeros(3, 4));
        Assert.StartsWith("LinearStep: weight has shape (3, 4); expected (outputs, inputs) = (3, 5) from x.", Message(() => LinearStep.Apply(x, weight)), StringComparison.Ordinal);
        Assert.StartsWith("LinearStep: bias has shape (2); expected (outputs) = (3) from weight.", Message(() => LinearStep.Apply(zeros(2, 4), weight, zeros(2))), StringComparison.Ordinal);
        Assert.StartsWith("LinearStep: x has shape (4); expected (B, inputs).", Message(() => LinearStep.Apply(zeros(4), weight)), StringComparison.Ordinal);
    }

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
