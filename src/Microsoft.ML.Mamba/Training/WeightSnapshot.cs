using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>A copy of a network's weights in ordinary memory, overwritten by later ones.</summary>
internal sealed class WeightSnapshot : IDisposable
{
    private readonly Parameter[] _weights;
    private readonly Tensor[] _copies;

    internal WeightSnapshot(Parameter[] weights)
    {
        using var noGrad = no_grad();
        _weights = weights;
        _copies = Array.ConvertAll(weights, w => empty_like(w, device: CPU).DetachFromDisposeScope());
    }

    /// <summary>Which epoch the weights come from, from 1; 0 = from within the first; null = nothing was taken yet.</summary>
    internal int? Epoch { get; private set; }

    internal void Take(int epoch)
    {
        using var noGrad = no_grad();
        for (var i = 0; i < _weights.Length; i++)
        {
            _copies[i].copy_(_weights[i]);
        }
        Epoch = epoch;
    }

    internal void Restore()
    {
        using var noGrad = no_grad();
        for (var i = 0; i < _weights.Length; i++)
        {
            _weights[i].copy_(_copies[i]);
        }
    }

    public void Dispose()
    {
        foreach (var copy in _copies)
        {
            copy.Dispose();
        }
    }
}
