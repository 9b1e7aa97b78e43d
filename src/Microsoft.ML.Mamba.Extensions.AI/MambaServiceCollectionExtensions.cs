using Microsoft.Extensions.AI;
using Microsoft.ML.Mamba;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Mamba embedding models with dependency injection.</summary>
public static class MambaServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of texts. The model is loaded when it is first asked
    /// for, and disposed with the container.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="path">A saved ML.NET model (see <see cref="MambaEmbeddingGenerator.FromModel(string, MambaEmbeddingGenerator.ModelOptions?)"/>), or a checkpoint folder (see <see cref="MambaEmbeddingGenerator.FromCheckpoint"/>).</param>
    /// <param name="lifetime">How long one instance serves. Default: as long as the container; every other loads the model again and again.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddMambaEmbeddingGenerator(
        this IServiceCollection services, string path, ServiceLifetime lifetime = ServiceLifetime.Singleton) =>
        services.AddKeyedMambaEmbeddingGenerator(serviceKey: null, path, lifetime);

    /// <summary>As the other one, with a generator made to measure: other columns, pooling, a tokenizer.</summary>
    /// <param name="services">The services.</param>
    /// <param name="create">Makes the generator, from other services if need be.</param>
    /// <param name="lifetime">How long one instance serves.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddMambaEmbeddingGenerator(
        this IServiceCollection services, Func<IServiceProvider, MambaEmbeddingGenerator> create, ServiceLifetime lifetime = ServiceLifetime.Singleton) =>
        services.AddKeyedMambaEmbeddingGenerator(serviceKey: null, create, lifetime);

    /// <summary>As <see cref="AddMambaEmbeddingGenerator(IServiceCollection, string, ServiceLifetime)"/>, under a key: for several models.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="path">A saved ML.NET model or a checkpoint folder.</param>
    /// <param name="lifetime">How long one instance serves.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddKeyedMambaEmbeddingGenerator(
        this IServiceCollection services, object? serviceKey, string path, ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return services.AddKeyedMambaEmbeddingGenerator(
            serviceKey, _ => Directory.Exists(path) ? MambaEmbeddingGenerator.FromCheckpoint(path) : MambaEmbeddingGenerator.FromModel(path), lifetime);
    }

    /// <summary>As <see cref="AddMambaEmbeddingGenerator(IServiceCollection, Func{IServiceProvider, MambaEmbeddingGenerator}, ServiceLifetime)"/>, under a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="create">Makes the generator, from other services if need be.</param>
    /// <param name="lifetime">How long one instance serves.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddKeyedMambaEmbeddingGenerator(
        this IServiceCollection services, object? serviceKey, Func<IServiceProvider, MambaEmbeddingGenerator> create, ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        services.Add(new ServiceDescriptor(typeof(IEmbeddingGenerator<string, Embedding<float>>), serviceKey, (provider, _) => create(provider), lifetime));
        // What does not care about types asks for this one; it is the same instance.
        services.Add(new ServiceDescriptor(typeof(IEmbeddingGenerator), serviceKey,
            (provider, key) => key is null
                ? provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>()
                : provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>(key), lifetime));
        return services;
    }
}
