using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// The matrix products of a training step of a causal encoder that learns to predict ids, and nothing else: for each layer's four
/// projections, and for the head, which is float32, the output, the gradient of the input and the gradient of the weight.
/// </summary>
internal sealed class GpuProducts : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly (Tensor Input, Tensor Weight, Tensor OutputGradient)[] _products;

    /// <param name="config">The architecture; causal.</param>
    /// <param name="rows">Batch·length.</param>
    /// <param name="type">What the blocks' products compute in.</param>
    /// <param name="device">Where.</param>
    public GpuProducts(MambaConfig config, long rows, ScalarType type, Device device)
    {
        (int Width, int Height)[] perBlock =
        [
            (config.DModel, 2 * config.DInner),
            (config.DInner, config.EffectiveDtRank + 2 * config.DState),
            (config.EffectiveDtRank, config.DInner),
            (config.DInner, config.DModel),
        ];
        var activations = new Dictionary<(int Width, ScalarType Type), Tensor>();
        Tensor Activations(int width, ScalarType of)
        {
            if (!activations.TryGetValue((width, of), out Tensor? kept))
                activations[(width, of)] = kept = randn(rows, width, dtype: ScalarType.Float32, device: device).to(of);
            return kept;
        }

        (Tensor, Tensor, Tensor) Product(int width, int height, ScalarType of) =>
            (Activations(width, of), (randn(height, width, dtype: ScalarType.Float32, device: device) / width).to(of), Activations(height, of));
        _products = [.. Enumerable.Repeat(perBlock, config.NLayer).SelectMany(block => block).Select(p => Product(p.Width, p.Height, type))
            .Append(Product(config.DModel, config.VocabSize, ScalarType.Float32))];
        foreach (Tensor kept in activations.Values.Concat(_products.Select(p => p.Weight)))
            kept.DetachFromDisposeScope();
        _scope.Dispose();
    }

    /// <summary>Products in all directions.</summary>
    public void Run()
    {
        using IDisposable withoutGraph = no_grad();
        foreach ((Tensor input, Tensor weight, Tensor outputGradient) in _products)
        {
            using DisposeScope scope = NewDisposeScope();
            mm(input, weight.t());
            mm(outputGradient, weight);
            mm(outputGradient.t(), input);
        }
    }

    public void Dispose()
    {
        foreach ((Tensor input, Tensor weight, Tensor outputGradient) in _products)
        {
            weight.Dispose();
            input.Dispose();
            outputGradient.Dispose();
        }
    }
}
