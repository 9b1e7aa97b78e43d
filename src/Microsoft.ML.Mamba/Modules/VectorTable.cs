using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>A learned vector for each id. State: weight (rows, features).</summary>
internal sealed class VectorTable : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public VectorTable(Parameter weight)
        : base(nameof(VectorTable))
    {
        _weight = weight;
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    /// <summary>ids (…) int64 → (…, features).</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        long[] shape = [.. input.shape, _weight.shape[1]];
        return TableRows.Of(_weight, input.reshape(-1)).view(shape).MoveToOuterDisposeScope();
    }
}
