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

    /// <summary>The states of several batches as one batch, in their order. The originals stay as they are.</summary>
    internal static MambaState Merge(IReadOnlyList<MambaState> states)
    {
        LayerState Layer(int i) => new(Together(state => state._layers[i].Conv), Together(state => state._layers[i].Ssm));
        Tensor Together(Func<MambaState, Tensor> part) => cat([.. states.Select(part)], 0).DetachFromDisposeScope();
        return new MambaState(Enumerable.Range(0, states[0]._layers.Length).Select(Layer)) { Position = states[0].Position };
    }

    /// <summary>The states of some rows of the batch, in the given order. The original stays as it is.</summary>
    internal MambaState Rows(int[] rows)
    {
        using var index = tensor(Array.ConvertAll(rows, row => (long)row)).MovedTo(_layers[0].Ssm.device);
        Tensor Chosen(Tensor part) => part.index_select(0, index).DetachFromDisposeScope();
        return new MambaState(_layers.Select(layer => new LayerState(Chosen(layer.Conv), Chosen(layer.Ssm)))) { Position = Position };
    }

    /// <summary>Frees all tensors.</summary>
    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }
}
