using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// y = x·weightᵀ + bias over the last dimension, as one matrix product over all rows: (…, inputs) → (…, outputs). It computes in
/// the type of x: weights of another type are converted for the call, and their gradients arrive in their own type.
/// State: weight (outputs, inputs), bias (outputs) where there is one.
/// </summary>
internal sealed class LinearProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private Parameter _weight;

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

    /// <summary>Keeps the weight in another type from now on, for a model that is not trained or saved: half the memory to hold and to read.</summary>
    public void ConvertWeight(ScalarType type)
    {
        using var noGradient = no_grad();
        var converted = new Parameter(_weight.to(type), requires_grad: false);
        converted.DetachFromDisposeScope();
        ConditionallyRegisterParameter("weight", converted);
        _weight.Dispose();
        _weight = converted;
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var shape = input.shape;
        var rows = shape.Length == 2 ? input : input.reshape(-1, shape[^1]);
        shape[^1] = _weight.size(0);
        var output = Multiply(rows, _weight, _bias);
        return (shape.Length == 2 ? output : output.view(shape)).MoveToOuterDisposeScope();
    }

    /// <summary>The same for one position of each sequence, (B, inputs) → (B, outputs). Not differentiable.</summary>
    public Tensor Step(Tensor input) => Step(input, _weight, _bias);

    /// <summary>The same with other parameters, such as a table that serves as a layer's weight.</summary>
    public static Tensor Step(Tensor input, Tensor weight, Tensor? bias = null) =>
        input.size(0) <= LinearStep.MostRows && weight.dtype == input.dtype ? LinearStep.Apply(input, weight, bias) : Multiply(input, weight, bias);

    /// <summary>(rows, inputs) → (rows, outputs), in the type of the rows.</summary>
    public static Tensor Multiply(Tensor rows, Tensor weight, Tensor? bias = null)
    {
        var type = rows.dtype;
        if (weight.dtype == type && (bias is null || bias.dtype == type))
            return nn.functional.linear(rows, weight, bias);
        using var scope = NewDisposeScope();
        return nn.functional.linear(rows, weight.to(type), bias?.to(type)).MoveToOuterDisposeScope();
    }
}
