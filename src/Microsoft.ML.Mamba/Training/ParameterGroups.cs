namespace Microsoft.ML.Mamba.Training;

/// <summary>Which weights decay. Decay would pull A_log, D, biases, norms, embeddings and positions away from what they mean.</summary>
internal static class ParameterGroups
{
    /// <summary>Whether weight decay applies to the weight of this name.</summary>
    internal static bool Decays(string name)
    {
        var parts = name.Split('.');
        var owner = parts.Length > 1 ? parts[^2] : "";
        return parts[^1] is not ("A_log" or "D" or "bias")
            && owner is not ("norm" or "norm_f" or "embeddings" or "positions");
    }
}
