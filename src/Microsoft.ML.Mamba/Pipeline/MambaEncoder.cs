using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba;

/// <summary>
/// An encoder that was learnt before, to embed with or to fine-tune: architecture, weights, tokenizer, and how sequences are cut.
/// Estimators copy it in <c>Fit</c>; what it came from must not be disposed before, and is never changed.
/// </summary>
public sealed class MambaEncoder
{
    private MambaEncoder(EncoderSource source) => Source = source;

    /// <summary>The architecture.</summary>
    public MambaConfig Model => Source.Config;

    /// <summary>What makes its ids from text; null where it reads ids or frames.</summary>
    public SequenceTokenizer? Tokenizer => Source.Tokenizer;

    internal EncoderSource Source { get; }

    /// <summary>The encoder of a fitted model.</summary>
    /// <param name="model">A transformer that MambaEmbed or a Mamba trainer has fitted, or a chain of transformers, whose last such one counts; loaded ones will do.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="ArgumentException">There is no Mamba model in it.</exception>
    public static MambaEncoder Of(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var found = Find(model) ?? throw new ArgumentException(
            $"MambaEncoder.Of: {model.GetType().Name} holds no Mamba model; expected what MambaEmbed or a Mamba trainer has fitted, or a chain that ends in or passes through it.", nameof(model));
        return new MambaEncoder(EncoderSource.Of(found.Predictor));
    }

    /// <summary>
    /// The encoder of a checkpoint folder, with its tokenizer.json where there is one, or <see cref="SequenceTokenizer.Caduceus"/> for
    /// a Caduceus. The layouts and architectures that can be read: <see cref="MambaCheckpoint"/>. Causal encoders read documents of any
    /// length in constant memory.
    /// </summary>
    /// <param name="directory">The folder. Its weights are read in <c>Fit</c>, so it must stay until then.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="MambaCheckpointException">The files are not valid or do not fit each other; lists all that is wrong.</exception>
    /// <exception cref="FormatException">tokenizer.json is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static MambaEncoder Load(string directory)
    {
        var checkpoint = MambaCheckpoint.Load(directory);
        return Of(checkpoint, SequenceTokenizer.InFolder(directory) ?? TokenizerOf(checkpoint));
    }

    /// <summary>The encoder of a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint. Its weights are read in <c>Fit</c>, so its files must stay until then.</param>
    /// <param name="tokenizer">What makes the checkpoint's ids from text. Null: columns of ids, or the options' own <see cref="MambaSequenceOptions.Tokenizer"/>.</param>
    /// <returns>The encoder.</returns>
    /// <exception cref="ArgumentException">The tokenizer makes ids that the checkpoint's embedding table has no rows for.</exception>
    public static MambaEncoder Of(MambaCheckpoint checkpoint, SequenceTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (tokenizer?.VocabSize > checkpoint.Config.VocabSize)
        {
            throw new ArgumentException(
                $"MambaEncoder.Of: the tokenizer '{tokenizer.Name}' makes ids up to {tokenizer.VocabSize - 1}, but the checkpoint has vectors for {checkpoint.Config.VocabSize}; they do not belong together. Give the tokenizer.json that came with the checkpoint.", nameof(tokenizer));
        }

        return new MambaEncoder(EncoderSource.Of(checkpoint, tokenizer));
    }

    /// <summary>
    /// Writes the encoder as a checkpoint in the layout of Hugging Face, or of Caduceus if its two directions are added or multiplied, float32, with the tokenizer.json of a tokenizer that has
    /// one (those of <see cref="SequenceTokenizer.LearnBytePairs"/> and <see cref="SequenceTokenizer.FromFile(string)"/>).
    /// <see cref="Load"/> and <see cref="MambaCheckpoint.Load(string)"/> read it, and so do other programs.
    /// </summary>
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <exception cref="ArgumentException">The layout has no place for the architecture: a mean of two directions, frames, positions, or LayerNorm.</exception>
    public void SaveCheckpoint(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        MambaCheckpoint.Save(Source.Config, Source.CopyTo, directory);
        if (Tokenizer is BytePairTokenizer)
            Tokenizer.Save(Path.Combine(directory, SequenceTokenizer.FileName));
    }

    /// <summary>The letters of Caduceus where a checkpoint pairs them as Caduceus does, since its folders hold no file for them.</summary>
    private static SequenceTokenizer? TokenizerOf(MambaCheckpoint checkpoint)
    {
        var caduceus = SequenceTokenizer.Caduceus;
        return checkpoint.Complements is { } map && map.Count >= caduceus.VocabSize
            && Enumerable.Range(0, caduceus.VocabSize).All(id => map[id] == caduceus.Complement(id)) ? caduceus : null;
    }

    private static IPredictorOwner? Find(ITransformer model) => model switch
    {
        IPredictorOwner owner => owner,
        IEnumerable<ITransformer> chain => chain.Select(Find).LastOrDefault(found => found is not null),
        _ => null,
    };
}
