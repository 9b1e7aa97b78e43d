using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

public sealed class ModuleWeightsTests
{
    private static readonly MambaConfig Config = new() { DModel = 8, NLayer = 1, DState = 2, VocabSize = 5, Bidirectional = false };

    [Fact]
    public void A_model_comes_back_with_the_same_bits()
    {
        using var model = new MambaModel(Config, seed: 1);
        using var other = new MambaModel(Config, seed: 2);
        var file = Save(model);

        ModuleWeights.Load(other, new MemoryStream(file), file.Length);

        var loaded = other.state_dict();
        foreach (var (name, value) in model.state_dict())
            TensorAssert.BitEqual(value, loaded[name], name);
        Assert.Equal(file, Save(other));
    }

    [Fact]
    public void Every_difference_from_the_architecture_is_listed_and_nothing_is_changed()
    {
        using var model = new MambaModel(Config with { NLayer = 2 }, seed: 1);
        using var smaller = new MambaModel(Config with { VocabSize = 7, UseBias = true }, seed: 2);
        var before = Save(smaller);
        var file = Save(model);

        var error = Assert.Throws<MambaCheckpointException>(() => ModuleWeights.Load(smaller, new MemoryStream(file), file.Length, "model"));

        Assert.Contains("model: it does not fit the model. ", error.Message);
        Assert.Contains("tensor 'embeddings.weight' has shape (5, 8); expected (7, 8).", error.Message);
        Assert.Contains("tensor 'layers.0.mixer.in_proj.bias' (32) is missing.", error.Message);
        Assert.Contains("tensor 'layers.1.mixer.A_log' is not part of this architecture.", error.Message);
        Assert.Equal(before, Save(smaller));
    }

    private static byte[] Save(nn.Module module)
    {
        using var file = new MemoryStream();
        ModuleWeights.Save(module, file);
        return file.ToArray();
    }
}
