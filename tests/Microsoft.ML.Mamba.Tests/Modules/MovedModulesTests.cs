using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>TorchSharp's <c>to</c> puts other parameters into a module's fields. A type stands for a device here, which not every machine has.</summary>
public sealed class MovedModulesTests
{
    [Theory]
    [InlineData(true, false, MambaPooling.Attention)]
    [InlineData(true, true, MambaPooling.Mean)]
    [InlineData(false, false, MambaPooling.MeanMax)]
    public void A_classifier_computes_and_learns_with_what_it_was_moved_to(bool bidirectional, bool tied, MambaPooling pooling)
    {
        using var scope = NewDisposeScope();
        var config = new MambaConfig { DModel = 8, NLayer = 2, DState = 4, VocabSize = 5, MaxPositions = 3, Bidirectional = bidirectional, TieDirections = tied };
        using var network = new MambaForSequenceClassification(config, pooling, outputs: 2, dropout: 0, seed: 1);
        using var ids = SequenceInput.FromIds(tensor([1L, 2, 3, 4, 0, 1], 2, 3), [3, 2]);
        var before = network.forward(ids).detach();

        network.to(ScalarType.Float64);

        var after = network.forward(ids);
        Assert.Equal(ScalarType.Float64, after.dtype);
        Assert.True((after - before).abs().max().item<double>() <= 1e-5);
        after.sum().backward();
        Assert.All(network.named_parameters(), p => Assert.True(p.parameter.dtype == ScalarType.Float64 && p.parameter.grad is { } g && g.dtype == ScalarType.Float64, p.name));
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(0, 3)]
    public void What_predicts_without_labels_follows_too(int vocabulary, int frameWidth)
    {
        using var scope = NewDisposeScope();
        var config = new MambaConfig { DModel = 8, NLayer = 1, DState = 4, VocabSize = vocabulary, FrameWidth = frameWidth };
        using var encoder = new MambaModel(config, seed: 1);
        encoder.to(ScalarType.Float64);
        using var head = new PretrainingHead(encoder, seed: 2);
        head.to(ScalarType.Float64);

        using var predicted = head.call(ones(2, 8, dtype: ScalarType.Float64));

        Assert.Equal(ScalarType.Float64, predicted.dtype);
        Assert.Equal(ScalarType.Float64, head.Mask!.dtype);
        Assert.Same(head.named_parameters().Single(p => p.name == "mask").parameter, head.Mask);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_language_model_keeps_its_head_and_its_table_together(bool tied)
    {
        using var scope = NewDisposeScope();
        using var network = new MambaForCausalLM(new MambaConfig { DModel = 8, NLayer = 1, DState = 4, VocabSize = 5, Bidirectional = false }, tied, seed: 1);
        network.to(ScalarType.Float64);
        using var state = network.Backbone.NewState(1);

        using var scores = network.Step(tensor([2L]), state);

        Assert.Equal(ScalarType.Float64, scores.dtype);
        Assert.Equal(ScalarType.Float64, state.Layers[0].Ssm.dtype);
    }
}
