using Microsoft.ML.Mamba.Modules;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>
/// The Mamba-1 and Falcon-Mamba language models of the golden files, read from their Hugging Face layout; the one with LayerNorm,
/// for which that layout has no place, from that of state-spaces.
/// </summary>
internal static class GoldenLanguageModel
{
    public static IReadOnlyList<string> Names { get; } = ["mamba1_tied", "mamba1_untied", "mamba1_tied_bf16", "mamba1_tied_small_ssm", "mamba1_layernorm", "falcon_mamba_untied"];

    public static MambaForCausalLM Read(string name) =>
        MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", name, name == "mamba1_layernorm" ? "original" : "hf")).CreateLanguageModel();
}
