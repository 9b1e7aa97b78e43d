using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.ML.Mamba.Tests.Pipeline;

namespace Microsoft.ML.Mamba.Tests.EmbeddingGenerator;

/// <summary>Generators from a container of services, alone and under what Microsoft.Extensions.AI puts around them.</summary>
public sealed class DependencyInjectionTests : IDisposable
{
    private readonly TextModels _models = new();
    private readonly TemporaryCheckpoint _checkpoint = new();

    [Fact]
    public async Task A_path_is_enough_and_one_instance_serves_until_the_container_is_disposed()
    {
        var provider = new ServiceCollection().AddMambaEmbeddingGenerator(_checkpoint.Path).BuildServiceProvider();

        var generator = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        Assert.Same(generator, provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Same(generator, provider.GetRequiredService<IEmbeddingGenerator>());
        Assert.Equal(2, (await generator.GenerateVectorAsync("low")).Length);
        provider.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["low"]));
    }

    [Fact]
    public void Nothing_is_read_before_it_is_asked_for()
    {
        using var provider = new ServiceCollection().AddMambaEmbeddingGenerator("later.zip").BuildServiceProvider();

        var error = Assert.Throws<FileNotFoundException>(() => provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());

        Assert.Contains("later.zip", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_models_have_keys_and_a_saved_one_is_told_from_a_folder()
    {
        var file = Path.Combine(_checkpoint.Path, "learnt.zip");
        using (var model = _models.Embed().Fit(_models.Data))
            _models.Ml.Model.Save(model, _models.Data.Schema, file);
        using var provider = new ServiceCollection()
            .AddKeyedMambaEmbeddingGenerator("checkpoint", _checkpoint.Path)
            .AddKeyedMambaEmbeddingGenerator("learnt", file)
            .BuildServiceProvider();

        var widths = new List<int>();
        foreach (var key in new[] { "checkpoint", "learnt" })
            widths.Add((await provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>(key).GenerateVectorAsync("low")).Length);

        Assert.Equal([2, 8], widths);
        Assert.Same(provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("learnt"), provider.GetRequiredKeyedService<IEmbeddingGenerator>("learnt"));
        Assert.Null(provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
    }

    [Fact]
    public void A_lifetime_per_scope_makes_one_for_each_scope()
    {
        using var provider = new ServiceCollection()
            .AddMambaEmbeddingGenerator(_ => MambaEmbeddingGenerator.FromCheckpoint(_checkpoint.Path), ServiceLifetime.Scoped)
            .BuildServiceProvider(validateScopes: true);
        using var first = provider.CreateScope();
        using var second = provider.CreateScope();

        var generator = first.ServiceProvider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();

        Assert.Same(generator, first.ServiceProvider.GetRequiredService<IEmbeddingGenerator>());
        Assert.NotSame(generator, second.ServiceProvider.GetRequiredService<IEmbeddingGenerator>());
    }

    [Fact]
    public async Task It_fits_under_the_cache_and_the_logging_of_Microsoft_Extensions_AI()
    {
        var embedded = 0;
        using var model = _models.Embed().Fit(_models.Data);
        var expected = _models.Expected(model);
        var watch = _models.Watch("Sequence", "Seen", _ => Interlocked.Increment(ref embedded));
        var copy = _models.Ml.Transforms.CopyColumns("Sequence", "Seen").Fit(watch.Transform(_models.Data));
        var chain = new Microsoft.ML.Data.TransformerChain<ITransformer>(watch, copy, model);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IDistributedCache>(new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions())));
        services.AddEmbeddingGenerator(_ => MambaEmbeddingGenerator.FromTransformer(chain, _models.Data.Schema, new() { ModelId = "tiny" }))
            .UseDistributedCache()
            .UseLogging();
        using var provider = services.BuildServiceProvider();
        var generator = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();

        var first = await generator.GenerateAsync(TextModels.Texts);
        var once = embedded;
        var second = await generator.GenerateAsync(TextModels.Texts);

        Assert.IsNotType<MambaEmbeddingGenerator>(generator);
        Assert.NotNull(generator.GetService<MambaEmbeddingGenerator>());
        Assert.Equal("tiny", generator.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelId);
        MambaEmbeddingGeneratorTests.AssertSame(expected, first);
        MambaEmbeddingGeneratorTests.AssertSame(expected, second);
        Assert.True(once > 0);
        Assert.Equal(once, embedded);
    }

    public void Dispose() => _checkpoint.Dispose();
}
