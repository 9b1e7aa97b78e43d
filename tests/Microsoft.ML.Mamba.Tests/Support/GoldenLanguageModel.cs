using System.Text.Json;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>The Mamba-1 language models of the golden files, read from their Hugging Face layout, whose names are also ours.</summary>
internal static class GoldenLanguageModel
{
    public static IReadOnlyList<string> Names { get; } = ["mamba1_tied", "mamba1_untied", "mamba1_tied_bf16", "mamba1_tied_small_ssm"];

    public static MambaForCausalLM Read(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SharedFolder.Path("golden", "lm", name, "hf", "config.json")));
        var root = json.RootElement;
        int Number(string key) => root.GetProperty(key).GetInt32();
        var config = new MambaConfig
        {
            DModel = Number("hidden_size"),
            NLayer = Number("num_hidden_layers"),
            VocabSize = Number("vocab_size"),
            DState = Number("state_size"),
            DConv = Number("conv_kernel"),
            Expand = Number("expand"),
            DtRank = Number("time_step_rank"),
            UseBias = root.GetProperty("use_bias").GetBoolean(),
            UseConvBias = root.GetProperty("use_conv_bias").GetBoolean(),
            NormEpsilon = root.GetProperty("layer_norm_epsilon").GetSingle(),
            Bidirectional = false,
        };
        var model = new MambaForCausalLM(config, root.GetProperty("tie_word_embeddings").GetBoolean(), seed: 1);
        using var file = File.OpenRead(SharedFolder.Path("golden", "lm", name, "hf", "model.safetensors"));
        ModuleWeights.Load(model, file, file.Length);
        return model;
    }
}
