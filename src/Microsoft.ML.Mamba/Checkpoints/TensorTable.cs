namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// Names and shapes of a language model's tensors, as <c>MambaForCausalLM</c> and <c>MambaForMaskedLM</c> name them and Hugging Face
/// those of causal models. state-spaces/mamba differs in one name; for Caduceus see <see cref="CaduceusLayout"/>.
/// </summary>
internal static class TensorTable
{
    public const string Embeddings = "backbone.embeddings.weight";
    public const string Head = "lm_head.weight";

    public const string Encoder = "backbone.";
    private const string Forwards = "mamba_fwd.";
    private const string Backwards = "mamba_rev.";
    private const string OldEmbeddings = "backbone.embedding.weight";

    /// <summary>Tensors of every layer at least; fewer in the files than this many per layer means that layers are missing.</summary>
    private const int LeastPerLayer = 9;

    /// <summary>Every tensor that a model of this architecture has.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="head">Whether it has a head of its own.</param>
    public static IEnumerable<(string Name, long[] Shape)> Of(MambaConfig config, bool head)
    {
        long width = config.DModel;
        var layerNorm = config.Norm == MambaNorm.LayerNorm;
        yield return (Embeddings, [config.VocabSize, width]);
        for (var i = 0; i < config.NLayer; i++)
        {
            var layer = $"{Encoder}layers.{i}.";
            yield return (layer + "norm.weight", [width]);
            if (layerNorm)
                yield return (layer + "norm.bias", [width]);
            foreach (var (mixer, ownProjections) in MixersOf(config))
            {
                foreach (var (name, shape) in MixerTensors(config, ownProjections))
                    yield return (layer + mixer + name, shape);
            }
        }

        yield return (Encoder + "norm_f.weight", [width]);
        if (layerNorm)
            yield return (Encoder + "norm_f.bias", [width]);
        if (head)
            yield return (Head, [config.VocabSize, width]);
    }

    /// <summary>Tensors that files may hold beside those of another name, if their content is the same.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="tieEmbeddings">Whether the head is the embedding table.</param>
    /// <returns>Name and that of the other, and the setting that ties the two.</returns>
    public static IEnumerable<(string Name, string Owner, string Setting)> Twins(MambaConfig config, bool tieEmbeddings)
    {
        if (tieEmbeddings)
            yield return (Head, Embeddings, "tie_word_embeddings (tie_embeddings)");
        for (var i = 0; config.TieDirections && i < config.NLayer; i++)
        {
            foreach (var (name, _) in ProjectionTensors(config))
                yield return ($"{Encoder}layers.{i}.mixer.{Backwards}{name}", $"{Encoder}layers.{i}.mixer.{Forwards}{name}", "bidirectional_weight_tie");
        }
    }

    private static IEnumerable<(string Prefix, bool OwnProjections)> MixersOf(MambaConfig config) => config.Bidirectional
        ? [("mixer." + Forwards, true), ("mixer." + Backwards, !config.TieDirections)]
        : [("mixer.", true)];

    private static IEnumerable<(string Name, long[] Shape)> MixerTensors(MambaConfig config, bool ownProjections)
    {
        long inner = config.DInner, states = config.DState, rank = config.EffectiveDtRank;
        yield return ("conv1d.weight", [inner, 1, config.DConv]);
        if (config.UseConvBias)
            yield return ("conv1d.bias", [inner]);
        yield return ("x_proj.weight", [rank + 2 * states, inner]);
        yield return ("dt_proj.weight", [inner, rank]);
        yield return ("dt_proj.bias", [inner]);
        yield return ("A_log", [inner, states]);
        yield return ("D", [inner]);
        if (!ownProjections)
            yield break;
        foreach (var tensor in ProjectionTensors(config))
            yield return tensor;
    }

    private static IEnumerable<(string Name, long[] Shape)> ProjectionTensors(MambaConfig config)
    {
        long inner = config.DInner, width = config.DModel;
        yield return ("in_proj.weight", [2 * inner, width]);
        yield return ("out_proj.weight", [width, inner]);
        if (!config.UseBias)
            yield break;
        yield return ("in_proj.bias", [2 * inner]);
        yield return ("out_proj.bias", [width]);
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
