using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// The causal convolution of a mixer with its SiLU. State: weight (DInner, 1, DConv), as torch's conv1d keeps it, and bias (DInner).
/// </summary>
internal sealed class DepthwiseConvolution : nn.Module
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    public DepthwiseConvolution(Parameter weight, Parameter? bias)
        : base(nameof(DepthwiseConvolution))
    {
        _weight = weight;
        _bias = bias;
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter? Bias => _bias;

    /// <summary>Taps.</summary>
    public int Width => (int)_weight.shape[2];

    /// <summary>(DInner, DConv), a view of the weight.</summary>
    public Tensor Filters() => _weight.squeeze(1);

    public (Tensor Y, Tensor? FinalState) Forward(Tensor x, Tensor? initial, bool returnFinalState)
    {
        using var filters = Filters();
        return CausalConv1d.Forward(x, filters, _bias, initial, silu: true, returnFinalState);
    }

    public Tensor Step(Tensor state, Tensor x)
    {
        using var filters = Filters();
        return CausalConv1d.Step(state, x, filters, _bias);
    }
}
