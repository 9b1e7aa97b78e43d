namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// Names and shapes of a causal model's tensors, as Hugging Face names them and <c>MambaForCausalLM</c> does. state-spaces/mamba
/// differs in one name.
/// </summary>
internal static class TensorTable
{
    public const string Embeddings = "backbone.embeddings.weight";
    public const string Head = "lm_head.weight";

    public const string Encoder = "backbone.";
    private const string OldEmbeddings = "backbone.embedding.weight";

    /// <summary>Tensors of every layer at least; fewer in the files than this many per layer means that layers are missing.</summary>
    private const int LeastPerLayer = 9;

    /// <summary>Every tensor that a model of this architecture has.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="head">Whether it has a head of its own.</param>
    public static IEnumerable<(string Name, long[] Shape)> Of(MambaConfig config, bool head)
    {
        long inner = config.DInner, width = config.DModel, states = config.DState, rank = config.EffectiveDtRank;
        var layerNorm = config.Norm == MambaNorm.LayerNorm;
        yield return (Embeddings, [config.VocabSize, width]);
        for (var i = 0; i < config.NLayer; i++)
        {
            var layer = $"{Encoder}layers.{i}.";
            yield return (layer + "norm.weight", [width]);
            if (layerNorm)
                yield return (layer + "norm.bias", [width]);
            yield return (layer + "mixer.in_proj.weight", [2 * inner, width]);
            if (config.UseBias)
                yield return (layer + "mixer.in_proj.bias", [2 * inner]);
            yield return (layer + "mixer.conv1d.weight", [inner, 1, config.DConv]);
            if (config.UseConvBias)
                yield return (layer + "mixer.conv1d.bias", [inner]);
            yield return (layer + "mixer.x_proj.weight", [rank + 2 * states, inner]);
            yield return (layer + "mixer.dt_proj.weight", [inner, rank]);
            yield return (layer + "mixer.dt_proj.bias", [inner]);
            yield return (layer + "mixer.A_log", [inner, states]);
            yield return (layer + "mixer.D", [inner]);
            yield return (layer + "mixer.out_proj.weight", [width, inner]);
            if (config.UseBias)
                yield return (layer + "mixer.out_proj.bias", [width]);
        }

        yield return (Encoder + "norm_f.weight", [width]);
        if (layerNorm)
            yield return (Encoder + "norm_f.bias", [width]);
        if (head)
            yield return (Head, [config.VocabSize, width]);
    }

    /// <summary>Whether so few tensors cannot be those of so many layers, so that the table need not be walked.</summary>
    public static bool TooFewFor(MambaConfig config, int tensors) => tensors < (long)LeastPerLayer * config.NLayer;

    /// <summary>The present name of a tensor. Encoders saved alone have no prefix, older files another name for the embeddings.</summary>
    /// <param name="name">Name in the file.</param>
    /// <param name="prefixed">Whether names in the file begin with that of the encoder.</param>
    public static string NameOf(string name, bool prefixed)
    {
        var full = prefixed || name == Head ? name : Encoder + name;
        return full == OldEmbeddings ? Embeddings : full;
    }

    public static bool IsPrefixed(IEnumerable<StoredTensor> tensors) =>
        tensors.Any(tensor => tensor.Name.StartsWith(Encoder, StringComparison.Ordinal));
}
