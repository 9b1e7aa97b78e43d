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

    private static IPredictorOwner? Find(ITransformer model) => model switch
    {
        IPredictorOwner owner => owner,
        IEnumerable<ITransformer> chain => chain.Select(Find).LastOrDefault(found => found is not null),
        _ => null,
    };
}
