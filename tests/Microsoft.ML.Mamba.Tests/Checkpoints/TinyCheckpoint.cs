using System.Text;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>The smallest language model, and its files in every layout.</summary>
internal static class TinyCheckpoint
{
    public static readonly MambaConfig Config = new() { DModel = 2, NLayer = 1, DState = 1, DConv = 2, VocabSize = 8, Bidirectional = false };

    public const string StateSpacesConfig = """{"d_model": 2, "n_layer": 1, "vocab_size": 5, "ssm_cfg": {"d_state": 1, "d_conv": 2}, "rms_norm": true}""";

    public static MambaForCausalLM Model(bool tied = true, MambaConfig? config = null) => new(config ?? Config, tied, seed: 3);

    public static byte[] SafeTensorsFile(nn.Module model, ScalarType type = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        SafeTensors.Write(file, model.state_dict().Select(entry => (entry.Key, entry.Value.to(type))));
        return file.ToArray();
    }

    public static byte[] ConfigFile(bool tied = true, MambaConfig? config = null)
    {
        using var file = new MemoryStream();
        HuggingFaceLayout.Write(file, new CheckpointConfig(config ?? Config, tied, [0]), head: true);
        return file.ToArray();
    }

    /// <summary>The tensors under the names of state-spaces; with tied embeddings, the head shares their storage.</summary>
    public static List<TorchFile.Item> TorchItems(MambaForCausalLM model, bool tied = true)
    {
        var items = model.state_dict().Select((entry, i) => new TorchFile.Item(
            entry.Key.Replace("embeddings.", "embedding.", StringComparison.Ordinal), $"{i}", entry.Value.data<float>().ToArray(), entry.Value.shape, entry.Value.stride())).ToList();
        if (tied)
            items.Add(items.Single(item => item.Name == "backbone.embedding.weight") with { Name = "lm_head.weight" });
        return items;
    }

    public static MambaCheckpoint Load(string config, params IReadOnlyList<byte[]> weights) => Load(Encoding.UTF8.GetBytes(config), weights);

    public static MambaCheckpoint Load(byte[] config, params IReadOnlyList<byte[]> weights) =>
        MambaCheckpoint.Load(new MemoryStream(config), [.. weights.Select(bytes => new MemoryStream(bytes))]);
}
