using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Tests.Training;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Models with LayerNorm in place of RmsNorm; whole golden models and pieces of sequences are in other classes.</summary>
public sealed class ResidualNormTests
{
    private static readonly MambaConfig Config = ToyTasks.SmallModel with { Norm = MambaNorm.LayerNorm };

    [SkippableTheory]
    [InlineData("norms_d32_L5", false)]
    [InlineData("norms_d32_L5", true)]
    [InlineData("norms_d7_L3", false)]
    [InlineData("norms_d7_L3", true)]
    public void LayerNorm_and_its_gradients_are_the_official_ones(string name, bool withResidual)
    {
        using var golden = GoldenFile.Read($"norm/{name}");
        using var scope = NewDisposeScope();
        var prefix = withResidual ? "layer_residual" : "layer";
        Tensor Input(string key) => golden[key].clone().requires_grad_(true);
        var (x, residual) = (Input("x"), withResidual ? Input("residual") : null);
        using var norm = new ResidualNorm(
            Config with { DModel = (int)x.shape[^1], NormEpsilon = golden.Options.GetProperty("eps").GetSingle() });
        var state = norm.state_dict();
        using (no_grad())
        {
            state["weight"].copy_(golden["weight"]);
            state["bias"].copy_(golden["bias"]);
        }

        var (y, sum) = norm.Forward(x, residual);
        (y * golden["grad_out"]).sum().backward();

        golden.AssertMatches($"{prefix}.y", y);
        golden.AssertMatches($"{prefix}.grad_x", x.grad!);
        golden.AssertMatches($"{prefix}.grad_weight", state["weight"].grad!);
        golden.AssertMatches($"{prefix}.grad_bias", state["bias"].grad!);
        if (residual is not null)
            golden.AssertMatches($"{prefix}.grad_residual", residual.grad!);
        TensorAssert.BitEqual(residual is null ? x : x + residual, sum, "the sum");
        TensorAssert.BitEqual(y, norm.ForwardLast(x, residual), "the last norm");
    }

    [Fact]
    public void Weights_and_biases_of_norms_do_not_decay()
    {
        using var model = new MambaForSequenceClassification(Config with { VocabSize = 5 }, MambaPooling.Mean, 2, 0, seed: 1);
        var norms = model.state_dict().Keys.Where(name => name.Contains("norm")).Order(StringComparer.Ordinal).ToArray();

        Assert.Equal(["backbone.layers.0.norm.bias", "backbone.layers.0.norm.weight", "backbone.norm_f.bias", "backbone.norm_f.weight"], norms);
        Assert.DoesNotContain(norms, ParameterGroups.Decays);
    }

    [Fact]
    public void Training_changes_the_biases_and_a_saved_model_has_them()
    {
        using var model = TrainingLoop.Run(ToyTasks.Request() with { Config = Config });
        using var encoder = new MambaModel(model.Description.Config, seed: 1);
        model.CopyEncoderTo(encoder);
        foreach (var name in new[] { "layers.0.norm.bias", "norm_f.bias" })
            Assert.All(encoder.state_dict()[name].detach().data<float>().ToArray(), value => Assert.NotEqual(0, value));
        var batch = ToyTasks.AllOf(ToyTasks.GcRich(20, seed: 2));
        var saved = SavedModel.Of(model);

        using var loaded = saved.Load(SequenceTokenizer.Dna);

        Assert.Equal(model.Description.Config, loaded.Description.Config);
        Assert.Equal(model.Predict(batch), loaded.Predict(batch));
        Assert.Equal("LayerNorm", (string?)JsonNode.Parse(saved.Config)!["architecture"]!["norm"]);
    }

    [Fact]
    public void A_saved_model_that_names_no_norm_has_RmsNorm()
    {
        using var model = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 1)));
        var saved = SavedModel.Of(model);
        var json = JsonNode.Parse(saved.Config)!.AsObject();
        Assert.True(json["architecture"]!.AsObject().Remove("norm"));

        using var loaded = (saved with { Config = Encoding.UTF8.GetBytes(json.ToJsonString()) }).Load(SequenceTokenizer.Dna);

        Assert.Equal(MambaNorm.RmsNorm, loaded.Description.Config.Norm);
        Assert.Equal(model.Description.Config, loaded.Description.Config);
    }
}
