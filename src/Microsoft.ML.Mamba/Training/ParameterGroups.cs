using TorchSharp.Modules;

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

    /// <summary>AdamW with two groups: the weights that decay, and the others.</summary>
    internal static AdamW CreateOptimizer((string Name, Parameter Tensor)[] weights, MambaTrainingOptions options, Func<string, bool> decays) => new(
        [
            new AdamW.ParamGroup([.. weights.Where(w => decays(w.Name)).Select(w => w.Tensor)], WithDecay(options, options.WeightDecay)),
            new AdamW.ParamGroup([.. weights.Where(w => !decays(w.Name)).Select(w => w.Tensor)], WithDecay(options, 0)),
        ],
        options.LearningRate,
        options.Beta1,
        options.Beta2);

    private static AdamW.Options WithDecay(MambaTrainingOptions options, double decay) => new()
    {
        LearningRate = options.LearningRate,
        InitialLearningRate = options.LearningRate,
        beta1 = options.Beta1,
        beta2 = options.Beta2,
        weight_decay = decay,
    };
}
