using Microsoft.Extensions.AI;

namespace Microsoft.ML.Mamba;

/// <summary>
/// An embedding model of ML.NET as an embedding generator of Microsoft.Extensions.AI: one vector of <see cref="float"/> per text,
/// of the length that <see cref="Metadata"/> tells. An empty text has zeros.
/// </summary>
/// <remarks>
/// It may be used from any number of threads; the model itself uses all cores. Disposing it lets calls that run end, or fail
/// with an <see cref="ObjectDisposedException"/>; later ones fail with it. A libtorch package (TorchSharp-cpu) must be there.
/// </remarks>
public sealed partial class MambaEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>The provider that <see cref="Metadata"/> names: "Microsoft.ML.Mamba".</summary>
    public const string ProviderName = "Microsoft.ML.Mamba";

    private readonly TextEmbedder _embedder;
    private readonly IDisposable? _ownedModel;
    private readonly int _batchSize;
    private volatile bool _disposed;

    private MambaEmbeddingGenerator(TextEmbedder embedder, IDisposable? ownedModel, string? modelId, int batchSize)
    {
        _embedder = embedder;
        _ownedModel = ownedModel;
        _batchSize = batchSize;
        Metadata = new EmbeddingGeneratorMetadata(ProviderName, providerUri: null, modelId, embedder.Dimensions);
    }

    /// <summary>Provider, model id (null where none is known) and the length of a vector.</summary>
    public EmbeddingGeneratorMetadata Metadata { get; }

    /// <summary>Embeds texts, on other threads than the caller's, in batches of texts of similar length.</summary>
    /// <param name="values">The texts; read before this method returns.</param>
    /// <param name="options">Null, or what is wanted of the model: it has one length of vectors and one id, so others are refused.</param>
    /// <param name="cancellationToken">Checked before each batch.</param>
    /// <returns>
    /// A vector per text, in their order. <c>Usage</c> counts the tokens of the texts (before any cut to the model's longest length);
    /// null where a step before the encoder changes the text.
    /// </returns>
    /// <exception cref="ArgumentException">A text is null or cannot be read by the model's tokenizer, or the options ask for what the model is not.</exception>
    /// <exception cref="ObjectDisposedException">The generator, or the model that it was made of, has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ObjectDisposedException.ThrowIf(_disposed, this);
        Check(options);
        string[] texts = [.. values];
        if (Array.IndexOf(texts, null) is >= 0 and var missing)
            throw new ArgumentException($"{nameof(MambaEmbeddingGenerator)}: text {missing} (from 0) is null; expected texts, empty ones for nothing.", nameof(values));

        return await Task.Run(() => Generate(texts, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>This generator, its <see cref="Metadata"/>, or null: what a chain of generators is asked for.</summary>
    /// <param name="serviceType">The type wanted.</param>
    /// <param name="serviceKey">Null; nothing is registered by a key.</param>
    /// <returns>The object, or null.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? Metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Frees the model, unless it was handed in by <see cref="FromTransformer"/>: then it stays its owner's.</summary>
    public void Dispose()
    {
        _disposed = true;
        _ownedModel?.Dispose();
    }

    private void Check(EmbeddingGenerationOptions? options)
    {
        if (options?.Dimensions is { } dimensions && dimensions != _embedder.Dimensions)
            throw new ArgumentException($"{nameof(MambaEmbeddingGenerator)}: Dimensions is {dimensions}; this model has vectors of {_embedder.Dimensions}. Leave Dimensions out, or take another model.", nameof(options));
        if (options?.ModelId is { } modelId && Metadata.DefaultModelId is { } own && modelId != own)
            throw new ArgumentException($"{nameof(MambaEmbeddingGenerator)}: ModelId is '{modelId}'; this generator has the one model '{own}'. Leave ModelId out, or make a generator of the other model.", nameof(options));
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, CancellationToken cancellationToken)
    {
        var vectors = new float[texts.Length][];
        // Texts of similar length together: a batch is as long as its longest.
        int[] order = [.. Enumerable.Range(0, texts.Length).OrderBy(i => texts[i].Length)];
        foreach (var batch in order.Chunk(_batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _embedder.Embed(texts, batch, vectors);
        }

        var now = DateTimeOffset.UtcNow;
        return new GeneratedEmbeddings<Embedding<float>>(
            vectors.Select(vector => new Embedding<float>(vector) { CreatedAt = now, ModelId = Metadata.DefaultModelId }))
        {
            Usage = _embedder.CountTokens(texts) is { } tokens ? new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens } : null,
        };
    }
}
