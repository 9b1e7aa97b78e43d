using System.Collections.Concurrent;
using Microsoft.Extensions.AI;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.EmbeddingGenerator;

/// <summary>What a generator makes of texts.</summary>
public sealed class MambaEmbeddingGeneratorTests : IDisposable
{
    private readonly TextModels _models = new();
    private readonly MambaEmbeddingTransformer _model;
    private readonly MambaEmbeddingGenerator _generator;

    public MambaEmbeddingGeneratorTests()
    {
        _model = _models.Embed().Fit(_models.Data);
        _generator = Create(_model, new MambaEmbeddingGenerator.ModelOptions { ModelId = "tiny", BatchSize = 2 });
    }

    [Fact]
    public async Task Vectors_are_those_of_the_model_in_the_order_of_the_texts()
    {
        var embeddings = await _generator.GenerateAsync(TextModels.Texts);

        AssertSame(_models.Expected(_model), embeddings);
    }

    [Fact]
    public async Task An_empty_text_has_zeros_and_no_text_no_embedding()
    {
        var embeddings = await _generator.GenerateAsync(["", "x"]);

        Assert.Equal(new float[8], embeddings[0].Vector.ToArray());
        Assert.Contains(embeddings[1].Vector.ToArray(), value => value != 0);
        Assert.Empty(await _generator.GenerateAsync([]));
    }

    [Fact]
    public async Task Embeddings_carry_the_model_and_the_tokens_that_were_read()
    {
        var embeddings = await _generator.GenerateAsync(["four", "", "½"]);

        Assert.All(embeddings, e => Assert.Equal("tiny", e.ModelId));
        Assert.All(embeddings, e => Assert.NotNull(e.CreatedAt));
        Assert.Equal((6, 6), (embeddings.Usage!.InputTokenCount, embeddings.Usage.TotalTokenCount));
    }

    [Fact]
    public async Task The_dimensions_and_the_id_of_the_model_may_be_asked_for_and_no_others()
    {
        Assert.Single(await _generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { Dimensions = 8, ModelId = "tiny" }));

        var dimensions = await Assert.ThrowsAsync<ArgumentException>(() => _generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { Dimensions = 4 }));
        var id = await Assert.ThrowsAsync<ArgumentException>(() => _generator.GenerateAsync(["x"], new EmbeddingGenerationOptions { ModelId = "large" }));

        Assert.StartsWith("MambaEmbeddingGenerator: Dimensions is 4; this model has vectors of 8.", dimensions.Message, StringComparison.Ordinal);
        Assert.StartsWith("MambaEmbeddingGenerator: ModelId is 'large'; this generator has the one model 'tiny'.", id.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_is_null_is_named_by_its_number()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => _generator.GenerateAsync(["x", null!]));

        Assert.StartsWith("MambaEmbeddingGenerator: text 1 (from 0) is null;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_cannot_be_read_is_named_by_its_number_with_the_reason()
    {
        string[] texts = ["ACGT", "ACGTACGTACGT", "AC-T", "A"];
        var data = _models.Ml.Data.LoadFromEnumerable(texts.Where(t => !t.Contains('-')).Select(t => new TextModels.Row { Sequence = t }));
        using var dna = _models.Embed(o => o.Tokenizer = SequenceTokenizer.Dna).Fit(data);
        using var generator = Create(dna);

        var error = await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(texts));

        Assert.StartsWith("MambaEmbeddingGenerator: text 2 (from 0) has no embedding:", error.Message, StringComparison.Ordinal);
        Assert.Contains("'-' at position 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_it_before_the_next_batch()
    {
        using var source = new CancellationTokenSource();
        var seen = new ConcurrentQueue<string>();
        using var chain = Chain(text =>
        {
            seen.Enqueue(text);
            if (seen.Count == 3)
                source.Cancel();
        });
        using var generator = Create(chain, new MambaEmbeddingGenerator.ModelOptions { BatchSize = 2 });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(TextModels.Texts, cancellationToken: source.Token));

        Assert.Equal(4, seen.Count);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync([], cancellationToken: source.Token));
    }

    [Fact]
    public async Task The_caller_goes_on_while_texts_are_embedded()
    {
        using var released = new ManualResetEventSlim();
        var wasReleased = false;
        using var chain = Chain(_ => wasReleased = released.Wait(TimeSpan.FromSeconds(60)));
        using var generator = Create(chain);

        var running = generator.GenerateAsync(["x"]);
        released.Set();
        await running;

        Assert.True(wasReleased);
    }

    [Fact]
    public async Task Calls_from_several_threads_at_once_do_not_disturb_each_other()
    {
        var expected = _models.Expected(_model);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _generator.GenerateAsync(TextModels.Texts))));

        Assert.All(results, result => AssertSame(expected, result));
    }

    [Fact]
    public void It_gives_itself_and_its_metadata_as_services()
    {
        IEmbeddingGenerator<string, Embedding<float>> generator = _generator;
        var metadata = generator.GetRequiredService<EmbeddingGeneratorMetadata>();

        Assert.Equal(("Microsoft.ML.Mamba", "tiny", 8), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Same(generator, generator.GetService<MambaEmbeddingGenerator>());
        Assert.Same(generator, generator.GetService<IEmbeddingGenerator>());
        Assert.Null(generator.GetService(typeof(MambaEmbeddingGenerator), "key"));
        Assert.Null(generator.GetService(typeof(string)));
    }

    [Fact]
    public async Task A_disposed_generator_says_so_and_leaves_a_model_that_was_handed_in_alone()
    {
        _generator.Dispose();
        _generator.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => _generator.GenerateAsync(["x"]));
        Assert.Equal(TextModels.Texts.Length, _models.Expected(_model).Length);
    }

    [Fact]
    public async Task A_model_that_was_disposed_beneath_it_is_said_to_be_gone()
    {
        _model.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => _generator.GenerateAsync(["x"]));
    }

    public void Dispose()
    {
        _generator.Dispose();
        _model.Dispose();
    }

    internal static void AssertSame(float[][] expected, GeneratedEmbeddings<Embedding<float>> embeddings)
    {
        Assert.Equal(expected.Length, embeddings.Count);
        for (var i = 0; i < expected.Length; i++)
        {
            var vector = embeddings[i].Vector.Span;
            Assert.Equal(expected[i].Length, vector.Length);
            for (var j = 0; j < vector.Length; j++)
                Assert.True(Math.Abs(expected[i][j] - vector[j]) <= 1e-6, $"text {i}, value {j}: expected {expected[i][j]}, got {vector[j]}");
        }
    }

    private MambaEmbeddingGenerator Create(ITransformer model, MambaEmbeddingGenerator.ModelOptions? options = null) =>
        MambaEmbeddingGenerator.FromTransformer(model, _models.Data.Schema, options);

    /// <summary>A step that sees each text, then the embedding.</summary>
    private TransformerChain<ITransformer> Chain(Action<string> seen)
    {
        var watch = _models.Watch("Sequence", "Seen", seen);
        var embed = _models.Ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(_model)).Fit(_models.Data);
        var copy = _models.Ml.Transforms.CopyColumns("Sequence", "Seen").Fit(watch.Transform(_models.Data));
        return new TransformerChain<ITransformer>(watch, copy, embed);
    }
}
