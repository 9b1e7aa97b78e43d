using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>Root mean square norm with a residual add. State: weight (DModel), initially 1.</summary>
internal sealed class RmsNormLayer : nn.Module
{
    private readonly double _epsilon;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public RmsNormLayer(long features, double epsilon)
        : base(nameof(RmsNormLayer))
    {
        _epsilon = epsilon;
        _weight = Initialisation.Constant(1, features);
        RegisterComponents();
    }

    /// <returns>The normalised sum, and the sum x + residual itself.</returns>
    public (Tensor Y, Tensor Sum) Forward(Tensor x, Tensor? residual)
    {
        var (y, sum) = RmsNorm.Forward(x, residual, _weight, _epsilon);
        return (y, sum!);
    }

    /// <returns>The normalised sum alone.</returns>
    public Tensor ForwardLast(Tensor x, Tensor? residual) => RmsNorm.Forward(x, residual, _weight, _epsilon, returnSum: false).Y;
}
