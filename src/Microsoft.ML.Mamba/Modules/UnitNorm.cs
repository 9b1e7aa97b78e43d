using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>Root mean square norm without weights of its own. No state: its ones are not part of a checkpoint.</summary>
internal sealed class UnitNorm : nn.Module<Tensor, Tensor>
{
    private readonly double _epsilon;

    [ComponentName(Name = "ones")]
    private readonly Tensor _ones;

    public UnitNorm(long features, double epsilon)
        : base(nameof(UnitNorm))
    {
        _epsilon = epsilon;
        _ones = ones(features, dtype: float32).DetachFromDisposeScope();
        register_buffer("ones", _ones, persistent: false);
        RegisterComponents();
    }

    /// <summary>(…, features) → (…, features). Views are taken as they are.</summary>
    public override Tensor forward(Tensor input) => RmsNorm.Forward(input, null, _ones, _epsilon, returnSum: false).Y;
}
