namespace Microsoft.ML.Mamba.Training;

/// <summary>Which weights decay, and which are the encoder's. Decay would pull A_log, D, biases, norms, embeddings, positions and masks away from what they mean.</summary>
internal static class ParameterGroups
{
    private const string Encoder = "backbone.";

    /// <summary>Whether weight decay applies to the weight of this name.</summary>
    internal static bool Decays(string name)
    {
        var parts = name.Split('.');
        var owner = parts.Length > 1 ? parts[^2] : "";
        return parts[^1] is not ("A_log" or "D" or "bias" or "mask")
            && owner is not ("norm" or "norm_f" or "embeddings" or "positions");
    }

    /// <summary>Whether the weight of this name belongs to the encoder.</summary>
    internal static bool IsEncoder(string name) => name.StartsWith(Encoder, StringComparison.Ordinal);
}
