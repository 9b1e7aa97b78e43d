using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>The official initialisation (design.md rule 4), asserted on a built model.</summary>
[Collection(nameof(Alone))]
public sealed class InitialValuesTests
{
    private static readonly MambaConfig Config = new() { DModel = 48, NLayer = 4, DState = 16, VocabSize = 300, Bidirectional = false, UseBias = true, MaxPositions = 50 };

    [Theory]
    [InlineData(MambaNorm.RmsNorm, 12, 6)]
    [InlineData(MambaNorm.LayerNorm, 13, 7)]
    public void Every_parameter_starts_as_the_official_code_starts_it(MambaNorm norm, int perLayer, int others)
    {
        using var model = new MambaForSequenceClassification(Config with { Norm = norm }, MambaPooling.Attention, 5, 0.1, seed: 3);
        var state = model.state_dict();
        foreach (var (name, value) in state)
            AssertStart(name, [.. value.detach().data<float>()]);
        Assert.Equal(4 * perLayer + others, state.Count);
    }

    [Fact]
    public void A_log_is_the_logarithm_of_1_to_N_in_every_row()
    {
        using var model = new MambaModel(Config, seed: 3);
        var aLog = model.state_dict()["layers.2.mixer.A_log"];
        for (var n = 0; n < 16; n++)
        {
            foreach (var value in aLog.detach().select(1, n).contiguous().data<float>())
                Assert.Equal((float)Math.Log(n + 1), value);
        }
    }

    [Fact]
    public void Equal_seeds_give_equal_weights_and_others_do_not()
    {
        using var first = new MambaModel(Config, seed: 11);
        using var again = new MambaModel(Config, seed: 11);
        using var other = new MambaModel(Config, seed: 12);
        foreach (var (name, value) in first.state_dict())
            TensorAssert.BitEqual(value, again.state_dict()[name], name);
        Assert.False(first.state_dict()["layers.0.mixer.in_proj.weight"].allclose(other.state_dict()["layers.0.mixer.in_proj.weight"]));
    }

    [Fact]
    public void Weights_are_the_same_on_every_machine()
    {
        // The managed generator's sequence is fixed by .NET; these are the first numbers of seed 11.
        using var model = new MambaModel(Config, seed: 11);
        var values = model.state_dict()["embeddings.weight"].detach()[0].narrow(0, 0, 3).contiguous().data<float>().ToArray();
        Approved.Text(string.Join('\n', values.Select(v => v.ToString("g6", System.Globalization.CultureInfo.InvariantCulture))), "InitialEmbeddingOfSeed11");
    }

    [Fact]
    public void Building_a_model_leaves_the_global_generator_alone()
    {
        manual_seed(5);
        using var before = rand(4);
        manual_seed(5);
        using var model = new MambaForSequenceClassification(Config, MambaPooling.Attention, 5, 0.1, seed: 3);
        using var after = rand(4);
        TensorAssert.BitEqual(before, after, "the next global numbers");
    }

    private static void AssertStart(string name, float[] values)
    {
        const int inner = 96, rank = 3;
        switch (name.Split('.') is var parts && parts[0] == "backbone" && parts[1] == "layers" ? string.Join('.', parts[3..]) : name)
        {
            case "backbone.embeddings.weight" or "backbone.positions.weight" or "pooling.queries":
                AssertNormal(name, values, 0.02);
                break;
            case "norm.weight" or "backbone.norm_f.weight" or "mixer.D":
                Assert.All(values, v => Assert.Equal(1, v));
                break;
            case "norm.bias" or "backbone.norm_f.bias" or "mixer.in_proj.bias" or "mixer.out_proj.bias" or "head.bias":
                Assert.All(values, v => Assert.Equal(0, v));
                break;
            case "mixer.A_log":
                break; // in a test of its own
            case "mixer.dt_proj.bias":
                Assert.All(values, v => Assert.InRange(Math.Log(1 + Math.Exp(v)), 0.001 * 0.999, 0.1 * 1.001));
                AssertUniform(name, [.. values.Select(v => (float)Math.Log(Math.Log(1 + Math.Exp(v))))], Math.Log(0.001), Math.Log(0.1));
                break;
            case "mixer.in_proj.weight":
                AssertUniform(name, values, 1 / Math.Sqrt(48));
                break;
            case "mixer.conv1d.weight" or "mixer.conv1d.bias":
                AssertUniform(name, values, 0.5);
                break;
            case "mixer.x_proj.weight":
                AssertUniform(name, values, 1 / Math.Sqrt(inner));
                break;
            case "mixer.dt_proj.weight":
                AssertUniform(name, values, 1 / Math.Sqrt(rank));
                break;
            case "mixer.out_proj.weight":
                AssertUniform(name, values, 1 / Math.Sqrt(inner) / Math.Sqrt(4));
                break;
            case "head.weight":
                AssertUniform(name, values, 1 / Math.Sqrt(4 * 48));
                break;
            default:
                Assert.Fail($"no expectation for {name}");
                break;
        }
    }

    private static void AssertUniform(string name, float[] values, double bound) => AssertUniform(name, values, -bound, bound);

    /// <summary>Within the bounds, and filling them: extremes close to both, mean close to the middle (5 standard errors).</summary>
    private static void AssertUniform(string name, float[] values, double low, double high)
    {
        var (width, count) = (high - low, values.Length);
        Assert.All(values, v => Assert.InRange(v, low - 1e-3 * width, high + 1e-3 * width));
        var slack = width * 12 / count;
        Assert.True(values.Min() <= low + slack && values.Max() >= high - slack, $"{name}: {values.Min()} to {values.Max()} does not fill {low} to {high}");
        Assert.True(Math.Abs(values.Average() - (low + high) / 2) <= 5 * width / Math.Sqrt(12.0 * count), $"{name}: mean {values.Average()}");
    }

    private static void AssertNormal(string name, float[] values, double deviation)
    {
        var measured = Math.Sqrt(values.Average(v => (double)v * v));
        Assert.True(Math.Abs(measured - deviation) <= 5 * deviation / Math.Sqrt(2.0 * values.Length), $"{name}: deviation {measured}");
        Assert.True(Math.Abs(values.Average()) <= 5 * deviation / Math.Sqrt(values.Length), $"{name}: mean {values.Average()}");
    }
}
