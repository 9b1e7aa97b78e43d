using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Compares gradients with central differences, in float64.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-6;

    // Central differences of smooth functions of size 1: error Step² + 1e-16/Step.
    private const double Tolerance = 1e-7;

    /// <param name="function">Named inputs → outputs; every output is given a fixed random weight and summed.</param>
    /// <param name="inputs">Float64 leaves.</param>
    public static void Run(Func<IReadOnlyDictionary<string, Tensor>, IEnumerable<Tensor>> function, Dictionary<string, Tensor> inputs)
    {
        using var scope = NewDisposeScope();
        foreach (var input in inputs.Values)
            input.requires_grad_(true);
        Loss().backward();
        using var noGradient = no_grad();
        foreach (var (name, input) in inputs)
        {
            Assert.True(input.grad is not null, $"{name} has no gradient");
            var flat = input.view(-1);
            var gradient = input.grad!.reshape(-1);
            for (long i = 0; i < flat.shape[0]; i++)
            {
                using var one = NewDisposeScope();
                var value = flat[i].item<double>();
                flat[i] = tensor(value + Step);
                var above = Loss().item<double>();
                flat[i] = tensor(value - Step);
                var below = Loss().item<double>();
                flat[i] = tensor(value);
                var (want, got) = ((above - below) / (2 * Step), gradient[i].item<double>());
                Assert.True(Math.Abs(got - want) <= Tolerance * (1 + Math.Abs(want)), $"gradient of {name}[{i}] is {got:g9}; differences give {want:g9}");
            }
        }

        Tensor Loss()
        {
            var random = new Random(5);
            var loss = zeros(1, dtype: float64);
            foreach (var output in function(inputs))
                loss = loss + (output * RandomTensor.Of(random, output.shape)).sum();
            return loss;
        }
    }
}
