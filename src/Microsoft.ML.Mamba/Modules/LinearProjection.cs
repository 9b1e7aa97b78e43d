using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// y = x·weightᵀ + bias over the last dimension, as one matrix product over all rows: (…, inputs) → (…, outputs).
/// State: weight (outputs, inputs), bias (outputs) where there is one.
/// </summary>
internal sealed class LinearProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    public LinearProjection(Parameter weight, Parameter? bias)
        : base(nameof(LinearProjection))
    {
        _weight = weight;
        _bias = bias;
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter? Bias => _bias;

    public override Tensor forward(Tensor input)
    {
        var shape = input.shape;
        if (shape.Length == 2)
            return nn.functional.linear(input, _weight, _bias);
        using var scope = NewDisposeScope();
        var rows = input.reshape(-1, shape[^1]);
        shape[^1] = _weight.shape[0];
        return nn.functional.linear(rows, _weight, _bias).view(shape).MoveToOuterDisposeScope();
    }

    /// <summary>The same for one position of each sequence, (B, inputs) → (B, outputs). Not differentiable.</summary>
    public Tensor Step(Tensor input) => Step(input, _weight, _bias);

    /// <summary>The same with other parameters, such as a table that serves as a layer's weight.</summary>
    public static Tensor Step(Tensor input, Tensor weight, Tensor? bias = null) =>
        input.size(0) <= LinearStep.MostRows ? LinearStep.Apply(input, weight, bias) : nn.functional.linear(input, weight, bias);
}
