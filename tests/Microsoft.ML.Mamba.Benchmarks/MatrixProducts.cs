using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// The matrix products of an encoder's forward pass and nothing else: for each block the projections in, to delta, B and C,
/// from the rank of delta to the channels, and out. Each writes into a fresh output, as a model's does.
/// </summary>
internal sealed class MatrixProducts : IDisposable
{
    private readonly (Tensor Input, Tensor Weight)[] _products;

    /// <param name="config">The architecture; causal.</param>
    /// <param name="rows">Batch·length.</param>
    public MatrixProducts(MambaConfig config, long rows)
    {
        (int Width, int Height)[] perBlock =
        [
            (config.DModel, 2 * config.DInner),
            (config.DInner, config.EffectiveDtRank + 2 * config.DState),
            (config.EffectiveDtRank, config.DInner),
            (config.DInner, config.DModel),
        ];

        // Blocks have weights of their own: shared ones would stay in the cache.
        _products = [.. Enumerable.Repeat(perBlock, config.NLayer).SelectMany(block => block)
            .Select(product => (randn(rows, product.Width), randn(product.Height, product.Width) / product.Width))];
    }

    public void Run()
    {
        using IDisposable withoutGraph = no_grad();
        foreach ((Tensor input, Tensor weight) in _products)
        {
            using Tensor transposed = weight.t();
            using Tensor output = mm(input, transposed);
        }
    }

    public void Dispose()
    {
        foreach ((Tensor input, Tensor weight) in _products)
        {
            input.Dispose();
            weight.Dispose();
        }
    }
}
