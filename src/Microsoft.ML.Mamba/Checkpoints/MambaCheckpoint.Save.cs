using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba;

/// <content>Saving, in the layout of Hugging Face or Caduceus, and as float32.</content>
public sealed partial class MambaCheckpoint
{
    /// <summary>Saves a language model in the layout of Hugging Face, float32. The files appear when all are written, or not at all.</summary>
    /// <param name="model">The model.</param>
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <param name="endTokenIds">Ids that end a text, kept in config.json.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture: positions, or LayerNorm.</exception>
    public static void Save(MambaForCausalLM model, string directory, params IReadOnlyList<int> endTokenIds)
    {
        var files = FilesOf(model, endTokenIds);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        files.WriteTo(directory);
    }

    /// <summary>The same to streams, which stay open: what <see cref="Load(Stream, IReadOnlyList{Stream})"/> reads.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">Where config.json goes, from the present position on.</param>
    /// <param name="weights">Where the weights go, safetensors, from the present position on.</param>
    /// <param name="endTokenIds">Ids that end a text, kept in config.json.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture, or a stream cannot be written.</exception>
    public static void Save(MambaForCausalLM model, Stream config, Stream weights, params IReadOnlyList<int> endTokenIds)
    {
        var files = FilesOf(model, endTokenIds);
        ThrowIfReadOnly(config, nameof(config));
        ThrowIfReadOnly(weights, nameof(weights));
        files.WriteTo(config, weights);
    }

    /// <summary>Saves a masked language model in the layout of Caduceus, float32. The files appear when all are written, or not at all.</summary>
    /// <param name="model">The model; its directions are added or multiplied.</param>
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture: a mean of the directions, positions, or LayerNorm.</exception>
    public static void Save(MambaForMaskedLM model, string directory)
    {
        var files = FilesOf(model);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        files.WriteTo(directory);
    }

    /// <summary>The same to streams, which stay open: what <see cref="Load(Stream, IReadOnlyList{Stream})"/> reads.</summary>
    /// <param name="model">The model; its directions are added or multiplied.</param>
    /// <param name="config">Where config.json goes, from the present position on.</param>
    /// <param name="weights">Where the weights go, safetensors, from the present position on.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture, or a stream cannot be written.</exception>
    public static void Save(MambaForMaskedLM model, Stream config, Stream weights)
    {
        var files = FilesOf(model);
        ThrowIfReadOnly(config, nameof(config));
        ThrowIfReadOnly(weights, nameof(weights));
        files.WriteTo(config, weights);
    }

    /// <summary>
    /// Saves an encoder alone in the layout of Hugging Face, or of Caduceus if it has two directions that are added or multiplied,
    /// float32. The files appear when all are written, or not at all.
    /// </summary>
    /// <param name="encoder">The encoder, of ids.</param>
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture: frames, a mean of two directions, positions, or LayerNorm.</exception>
    public static void Save(MambaModel encoder, string directory)
    {
        var files = FilesOf(encoder);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        files.WriteTo(directory);
    }

    /// <summary>The same to streams, which stay open: what <see cref="Load(Stream, IReadOnlyList{Stream})"/> reads.</summary>
    /// <param name="encoder">The encoder, of ids.</param>
    /// <param name="config">Where config.json goes, from the present position on.</param>
    /// <param name="weights">Where the weights go, safetensors, from the present position on.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture, or a stream cannot be written.</exception>
    public static void Save(MambaModel encoder, Stream config, Stream weights)
    {
        var files = FilesOf(encoder);
        ThrowIfReadOnly(config, nameof(config));
        ThrowIfReadOnly(weights, nameof(weights));
        files.WriteTo(config, weights);
    }

    /// <summary>Saves a copy of an encoder that can be copied but not handed out, as that of a fitted model.</summary>
    /// <param name="config">Its architecture.</param>
    /// <param name="copyTo">Overwrites the weights of an encoder of this architecture.</param>
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture; nothing was copied.</exception>
    internal static void Save(MambaConfig config, Action<MambaModel> copyTo, string directory)
    {
        ThrowIfMisfit(config, nameof(config));
        using var encoder = new MambaModel(config, Initialisation.LeftToTheCaller(), null);
        copyTo(encoder);
        Save(encoder, directory);
    }

    /// <summary>
    /// Saves the checkpoint in the layout of Hugging Face, or that of Caduceus if it is one, float32, whatever it was read from. Weights that are bfloat16 or float16 take
    /// twice the room. The files appear when all are written, or not at all.
    /// </summary>
    /// <param name="directory">The folder; it is made when it does not exist, and may be the one that was loaded.</param>
    /// <exception cref="InvalidOperationException">The layout has no place for the architecture: LayerNorm.</exception>
    /// <exception cref="MambaCheckpointException">A file was changed since it was checked.</exception>
    public void Save(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (MisfitOf(Config) is { } misfit)
            throw new InvalidOperationException(misfit);
        using nn.Module model = !HasLanguageModelHead ? CreateEncoder() : Config.Bidirectional ? CreateMaskedLanguageModel() : CreateLanguageModel();
        new HuggingFaceFiles(model, _config, HasLanguageModelHead).WriteTo(directory);
    }

    private static HuggingFaceFiles FilesOf(MambaForCausalLM model, IReadOnlyList<int> endTokenIds)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(endTokenIds);
        ThrowIfMisfit(model.Backbone.Config, nameof(model));
        return new(model, new CheckpointConfig(model.Backbone.Config, model.TiesEmbeddings, endTokenIds), head: true);
    }

    private static HuggingFaceFiles FilesOf(MambaForMaskedLM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ThrowIfMisfit(model.Backbone.Config, nameof(model));
        return new(model, new CheckpointConfig(model.Backbone.Config, model.TiesEmbeddings, []), head: true);
    }

    /// <summary>Ties would promise a head.</summary>
    private static HuggingFaceFiles FilesOf(MambaModel encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ThrowIfMisfit(encoder.Config, nameof(encoder));
        return new(encoder, new CheckpointConfig(encoder.Config, TieEmbeddings: false, []), head: false);
    }

    private static string? MisfitOf(MambaConfig config) =>
        CaduceusLayout.Fits(config) ? CaduceusLayout.Misfit(config) : HuggingFaceLayout.Misfit(config);

    private static void ThrowIfMisfit(MambaConfig config, string argument)
    {
        if (MisfitOf(config) is { } misfit)
            throw new ArgumentException(misfit, argument);
    }

    private static void ThrowIfReadOnly(Stream stream, string argument)
    {
        ArgumentNullException.ThrowIfNull(stream, argument);
        if (!stream.CanWrite)
            throw new ArgumentException($"{nameof(MambaCheckpoint)}: the stream of {argument} cannot be written; expected one that can.", argument);
    }
}
