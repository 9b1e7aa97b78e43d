using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>Root mean square norm without weights of its own. No state.</summary>
internal sealed class UnitNorm(long features, double epsilon) : nn.Module<Tensor, Tensor>(nameof(UnitNorm))
{
    /// <summary>(…, features) → (…, features). Views are taken as they are.</summary>
    public override Tensor forward(Tensor input)
    {
        // Made anew, since TorchSharp 0.107 leaves buffers that are not part of the state dict behind when a model changes its type.
        using var weight = ones(features, dtype: input.dtype, device: input.device);
        return RmsNorm.Forward(input, null, weight, epsilon, returnSum: false).Y;
    }
}
