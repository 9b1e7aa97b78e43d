using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Names and shapes of every kind of model, as approved text: files on disk depend on them.</summary>
public sealed class StateDictTests
{
    [Fact]
    public void Names_and_shapes_are_the_approved_ones()
    {
        var small = new MambaConfig { DModel = 16, NLayer = 2, DState = 4 };
        nn.Module[] models =
        [
            new MambaForSequenceClassification(small with { VocabSize = 6 }, MambaPooling.Mean, 3, 0, seed: 1),
            new MambaForSequenceClassification(
                small with { FrameWidth = 5, Bidirectional = false, MaxPositions = 60, UseBias = true }, MambaPooling.Attention, 1, 0, seed: 1),
            new MambaForSequenceClassification(small with { VocabSize = 6, UseConvBias = false, IntermediateSize = 40, DtRank = 2 }, MambaPooling.MeanMax, 2, 0, seed: 1),
            new MambaForCausalLM(small with { VocabSize = 8, Bidirectional = false }, tieEmbeddings: true, seed: 1),
            new MambaForCausalLM(small with { VocabSize = 8, Bidirectional = false }, tieEmbeddings: false, seed: 1),
            new MambaForCausalLM(small with { VocabSize = 8, Bidirectional = false, MixerNormEpsilon = 1e-6f }, tieEmbeddings: false, seed: 1),
            new MambaForCausalLM(small with { VocabSize = 8, Bidirectional = false, Norm = MambaNorm.LayerNorm }, tieEmbeddings: true, seed: 1),
        ];
        var text = string.Join("\n\n", models.Select(model => $"{model.GetName()}\n" + string.Join('\n',
            model.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} ({string.Join(", ", entry.Value.shape)})"))));
        foreach (var model in models)
            model.Dispose();
        Approved.Text(text, "StateDicts");
    }

    [Fact]
    public void The_published_130m_model_has_its_published_number_of_parameters()
    {
        var config = new MambaConfig { DModel = 768, NLayer = 1, VocabSize = 50280, Bidirectional = false };
        using var one = new MambaForCausalLM(config, tieEmbeddings: true, seed: 1);
        var fixedPart = 50280L * 768 + 768;
        var perLayer = one.parameters().Sum(p => p.numel()) - fixedPart;
        Assert.Equal(129_135_360, fixedPart + 24 * perLayer);
    }
}
