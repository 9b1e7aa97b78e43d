using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>What one mixer remembers of the positions so far.</summary>
/// <param name="Conv">(B, DConv-1, DInner) the last inputs of the convolution, oldest first.</param>
/// <param name="Ssm">(B, DInner, DState) the state of the scan.</param>
public sealed record LayerState(Tensor Conv, Tensor Ssm) : IDisposable
{
    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        Conv.Dispose();
        Ssm.Dispose();
    }
}

/// <summary>
/// What a causal model remembers of the positions so far: constant size, whatever their number. Made by
/// <see cref="MambaModel.NewState"/>, advanced by <see cref="MambaModel.Forward"/> and <see cref="MambaModel.Step"/>.
/// </summary>
public sealed class MambaState : IDisposable
{
    private readonly LayerState[] _layers;

    internal MambaState(IEnumerable<LayerState> layers) => _layers = [.. layers];

    /// <summary>One entry for each block, first block first.</summary>
    public IReadOnlyList<LayerState> Layers => _layers;

    /// <summary>Positions seen so far.</summary>
    public long Position { get; internal set; }

    /// <summary>Puts the state after a piece in the place of the state before it.</summary>
    internal void Replace(int layer, LayerState next)
    {
        var previous = _layers[layer];
        next.Conv.DetachFromDisposeScope();
        next.Ssm.DetachFromDisposeScope();
        _layers[layer] = next;
        previous.Dispose();
    }

    /// <summary>Frees all tensors.</summary>
    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }
}
