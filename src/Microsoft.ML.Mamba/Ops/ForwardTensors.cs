using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The tensors that a forward callback made. The graph takes references of its own; ours must not outlive the call, since they
/// would close a circle from node to output to node that nothing frees.
/// </summary>
internal sealed class ForwardTensors
{
    private Tensor?[] _tensors = [];

    public void Keep(params Tensor?[] tensors) => _tensors = tensors;

    public void Release()
    {
        foreach (var tensor in _tensors)
            tensor?.Dispose();
        _tensors = [];
    }
}
