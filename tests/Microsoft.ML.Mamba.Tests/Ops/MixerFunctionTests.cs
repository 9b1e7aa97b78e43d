using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>A mixer as one node of the graph against the same mixer op by op, which a wanted state makes it.</summary>
public sealed class MixerFunctionTests
{
    private static readonly MambaConfig Config = new() { DModel = 12, NLayer = 1, DState = 5, VocabSize = 4, Bidirectional = false };

    public static TheoryData<bool, bool, ScalarType, string> Cases()
    {
        var cases = new TheoryData<bool, bool, ScalarType, string>();
        foreach (var (bias, convBias) in new[] { (false, true), (true, false) })
        {
            cases.Add(bias, convBias, ScalarType.Float32, "cpu");
            cases.Add(bias, convBias, ScalarType.Float64, "reference");
            cases.Add(bias, convBias, ScalarType.Float32, "torch");
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Output_and_gradients_equal_those_of_ops_one_by_one(bool bias, bool convBias, ScalarType type, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var mixer = new MambaMixer(Config with { UseBias = bias, UseConvBias = convBias }, seed: 3);
        mixer.to(type);

        var (oneByOne, wanted) = Run(mixer, type, x => mixer.Forward(x, null, returnState: true).Y);
        var (y, gradients) = Run(mixer, type, mixer.forward);

        var tolerance = type == ScalarType.Float64 ? 1e-12 : 1e-5;
        TensorAssert.Close(oneByOne, y, tolerance, "y");
        Assert.Equal(wanted.Keys, gradients.Keys);
        foreach (var (name, gradient) in gradients)
        {
            Assert.Equal(type, gradient.dtype);
            TensorAssert.Close(wanted[name], gradient, tolerance * (double)wanted[name].abs().max(), name);
        }
    }

    [Fact]
    public void Frozen_parameters_and_inputs_without_gradients_get_none()
    {
        using var scope = NewDisposeScope();
        using var mixer = new MambaMixer(Config, seed: 3);
        foreach (var (name, parameter) in mixer.named_parameters())
            parameter.requires_grad = name is "D" or "x_proj.weight";

        mixer.forward(randn(2, 7, Config.DModel)).sum().backward();

        Assert.Equal(["D", "x_proj.weight"], mixer.named_parameters().Where(p => p.parameter.grad is not null).Select(p => p.name).Order(StringComparer.Ordinal));
    }

    private static (Tensor Y, SortedDictionary<string, Tensor> Gradients) Run(MambaMixer mixer, ScalarType type, Func<Tensor, Tensor> forward)
    {
        using var generator = new Generator(5);
        var x = randn(2, 7, Config.DModel, dtype: type, generator: generator).requires_grad_();
        var y = forward(x);
        (y * randn(y.shape, dtype: type, generator: generator)).sum().backward();
        var gradients = new SortedDictionary<string, Tensor>(StringComparer.Ordinal) { ["x"] = x.grad! };
        foreach (var (name, parameter) in mixer.named_parameters())
        {
            gradients[name] = parameter.grad!.clone();
            parameter.grad = null;
        }

        return (y, gradients);
    }
}
