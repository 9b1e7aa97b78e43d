using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class ParameterGroupsTests
{
    [Fact]
    public void Matrices_and_convolutions_decay_and_nothing_else()
    {
        var config = ToyTasks.SmallModel with { VocabSize = 5, MaxPositions = 7, UseBias = true };
        using var network = new MambaForSequenceClassification(config, MambaPooling.Attention, 2, 0, 0);
        var names = NetworkWeights.Of(network).Select(w => w.Name).ToArray();

        string[] decaying =
        [
            "backbone.layers.0.mixer.mamba_fwd.conv1d.weight",
            "backbone.layers.0.mixer.mamba_fwd.dt_proj.weight",
            "backbone.layers.0.mixer.mamba_fwd.in_proj.weight",
            "backbone.layers.0.mixer.mamba_fwd.out_proj.weight",
            "backbone.layers.0.mixer.mamba_fwd.x_proj.weight",
            "backbone.layers.0.mixer.mamba_rev.conv1d.weight",
            "backbone.layers.0.mixer.mamba_rev.dt_proj.weight",
            "backbone.layers.0.mixer.mamba_rev.in_proj.weight",
            "backbone.layers.0.mixer.mamba_rev.out_proj.weight",
            "backbone.layers.0.mixer.mamba_rev.x_proj.weight",
            "head.weight",
            "pooling.queries",
        ];
        Assert.Equal(decaying, names.Where(ParameterGroups.Decays));
        Assert.Contains("backbone.embeddings.weight", names);
        Assert.Contains("backbone.positions.weight", names);
        Assert.Contains("backbone.norm_f.weight", names);
        Assert.Contains("backbone.layers.0.norm.weight", names);
        Assert.Contains("backbone.layers.0.mixer.mamba_fwd.A_log", names);
        Assert.Contains("backbone.layers.0.mixer.mamba_fwd.D", names);
        Assert.Contains("backbone.layers.0.mixer.mamba_fwd.in_proj.bias", names);
    }

    [Fact]
    public void A_projection_of_frames_decays_and_its_bias_does_not()
    {
        Assert.True(ParameterGroups.Decays("backbone.frame_projection.weight"));
        Assert.False(ParameterGroups.Decays("backbone.frame_projection.bias"));
    }
}
