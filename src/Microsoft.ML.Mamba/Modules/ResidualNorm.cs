using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// A norm with the residual add in front of it: root mean square by the library's kernels, or LayerNorm by libtorch's, which few
/// models have. What is normalised leaves in the type asked for; sums and the norm itself are float32 whatever the blocks compute
/// in. State: weight (DModel), initially 1; with LayerNorm bias (DModel), initially 0.
/// </summary>
internal sealed class ResidualNorm : nn.Module
{
    private readonly double _epsilon;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    public ResidualNorm(MambaConfig config)
        : base(nameof(ResidualNorm))
    {
        _epsilon = config.NormEpsilon;
        _weight = Initialisation.Constant(1, config.DModel);
        _bias = config.Norm == MambaNorm.LayerNorm ? Initialisation.Constant(0, config.DModel) : null;
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    /// <param name="x">What the previous block gave; float32 before the first block.</param>
    /// <param name="residual">The stream before it, float32, or null.</param>
    /// <param name="type">Type of y; null: that of x.</param>
    /// <returns>The normalised sum, and the sum x + residual itself.</returns>
    public (Tensor Y, Tensor Sum) Forward(Tensor x, Tensor? residual, ScalarType? type = null)
    {
        if (_bias is not null)
        {
            var stream = residual is null ? x.alias() : x.Plus(residual);
            return (InType(LayerNorm(stream, _bias), type), stream);
        }

        var (y, sum) = RmsNorm.Forward(x, residual, _weight, _epsilon);
        return (InType(y, type), sum!);
    }

    /// <returns>The normalised sum alone, float32: heads and losses compute in it.</returns>
    public Tensor ForwardLast(Tensor x, Tensor? residual)
    {
        if (_bias is null)
        {
            if (residual is null || x.dtype == residual.dtype)
                return RmsNorm.Forward(x, residual, _weight, _epsilon, returnSum: false).Y;
            using var exact = x.to(residual.dtype);
            return RmsNorm.Forward(exact, residual, _weight, _epsilon, returnSum: false).Y;
        }

        using var sum = residual is null ? null : x.Plus(residual);
        return LayerNorm(sum ?? x, _bias);
    }

    private static Tensor InType(Tensor y, ScalarType? type)
    {
        if (type is not { } wanted || y.dtype == wanted)
            return y;
        using (y)
            return y.to(wanted);
    }

    private Tensor LayerNorm(Tensor x, Tensor bias) => nn.functional.layer_norm(x, _weight.shape, _weight, bias, _epsilon);
}
