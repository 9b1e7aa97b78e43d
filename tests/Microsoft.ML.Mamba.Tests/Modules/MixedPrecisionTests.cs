using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Blocks that compute in bfloat16 around parameters and a stream of float32; on any device, through whichever backend takes the type.</summary>
public sealed class MixedPrecisionTests
{
    // A block adds a relative error of about 2^-8 to what it gives; sums over channels average it.
    private const double Tolerance = 3e-2;

    private static readonly MambaConfig Config = new() { DModel = 24, NLayer = 3, DState = 4, VocabSize = 11 };

    [Theory]
    [InlineData(true, MambaNorm.RmsNorm)]
    [InlineData(false, MambaNorm.RmsNorm)]
    [InlineData(false, MambaNorm.LayerNorm)]
    public void Results_and_gradients_are_float32_and_near_those_of_float32(bool bidirectional, MambaNorm norm)
    {
        using var scope = NewDisposeScope();
        var config = Config with { Bidirectional = bidirectional, Norm = norm };
        var (exactY, exact) = Run(config, null);

        var (y, gradients) = Run(config, ScalarType.BFloat16);

        Assert.Equal(ScalarType.Float32, y.dtype);
        TensorAssert.Close(exactY, y, Tolerance, "y");
        Assert.False(exactY.allclose(y, 1e-6, 1e-6), "the blocks computed in float32");
        foreach (var (name, gradient) in gradients)
        {
            Assert.Equal(ScalarType.Float32, gradient.dtype);
            Close(exact[name], gradient, 6e-2, name);
        }
    }

    [Fact]
    public void State_carried_over_a_split_and_steps_equal_one_pass()
    {
        using var scope = NewDisposeScope();
        using var withoutGraph = no_grad();
        using var model = new MambaModel(Config with { Bidirectional = false }, seed: 3) { BlockType = ScalarType.BFloat16 };
        var ids = Ids();
        var whole = model.forward(SequenceInput.FromIds(ids));
        using var state = model.NewState(2);

        var first = model.Forward(SequenceInput.FromIds(ids.narrow(1, 0, 4)), state);
        var rest = Enumerable.Range(4, 3).Select(t => model.Step(ids.select(1, t), state).unsqueeze(1));

        TensorAssert.Close(whole, cat([first, .. rest], 1), Tolerance, "pieces");
        Assert.Equal((ScalarType.BFloat16, ScalarType.Float32), (state.Layers[0].Conv.dtype, state.Layers[0].Ssm.dtype));
    }

    [Fact]
    public void Converted_matrices_compute_the_same_as_matrices_that_are_converted_for_each_call()
    {
        using var scope = NewDisposeScope();
        using var withoutGraph = no_grad();
        using var model = new MambaModel(Config with { Bidirectional = false }, seed: 3) { BlockType = ScalarType.BFloat16 };
        var before = model.forward(SequenceInput.FromIds(Ids()));

        model.ConvertBlocks(ScalarType.BFloat16);

        TensorAssert.BitEqual(before, model.forward(SequenceInput.FromIds(Ids())), "y");
        var types = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.dtype);
        Assert.Equal(ScalarType.BFloat16, types["layers.0.mixer.in_proj.weight"]);
        Assert.All(types.Where(t => !t.Key.EndsWith("proj.weight", StringComparison.Ordinal)), t => Assert.Equal(ScalarType.Float32, t.Value));
    }

    private static (Tensor Y, Dictionary<string, Tensor> Gradients) Run(MambaConfig config, ScalarType? type)
    {
        var model = new MambaModel(config, seed: 3) { BlockType = type };
        var y = model.forward(SequenceInput.FromIds(Ids(), [7, 5]));
        (y * RandomTensor.Single(new Random(4), y.shape)).narrow(1, 0, 5).sum().backward();
        return (y.detach().narrow(1, 0, 5), model.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!));
    }

    /// <summary>By length, since single numbers may be near 0.</summary>
    private static void Close(Tensor want, Tensor got, double tolerance, string name)
    {
        var error = ((got - want).norm() / want.norm()).item<float>();
        Assert.True(error <= tolerance, $"gradient of {name}: relative error {error}; expected at most {tolerance}");
    }

    private static Tensor Ids() => tensor([1L, 5, 3, 10, 0, 2, 7, 4, 4, 9, 6, 8, 0, 0], 2, 7);
}
