using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>The products of one step of a language model, with its own weights and in its order, and nothing else.</summary>
internal sealed class StepProducts : IDisposable
{
    private static readonly string[] Factors = ["in_proj.weight", "x_proj.weight", "dt_proj.weight", "out_proj.weight"];

    private readonly (Tensor Input, Tensor Weight)[] _products;

    /// <param name="network">The model; it keeps its weights.</param>
    /// <param name="batch">Rows of each input.</param>
    public StepProducts(MambaForCausalLM network, long batch)
    {
        IEnumerable<Tensor> ofBlocks = network.named_parameters().Where(p => Factors.Any(p.name.EndsWith)).Select(p => p.parameter);
        _products = [.. ofBlocks.Append(network.Backbone.EmbeddingTable!).Select(weight => (randn(batch, weight.shape[1]), weight))];
    }

    public void Run()
    {
        using IDisposable withoutGraph = no_grad();
        foreach ((Tensor input, Tensor weight) in _products)
        {
            using Tensor output = LinearProjection.Step(input, weight);
        }
    }

    public void Dispose()
    {
        foreach ((Tensor input, _) in _products)
            input.Dispose();
    }
}
