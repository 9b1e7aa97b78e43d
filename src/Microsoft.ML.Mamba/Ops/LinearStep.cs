using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// A linear layer for one position of a few sequences: y = x·weightᵀ + bias. Bound by reading the weights, which libtorch's product
/// does at a fraction of the speed of memory. Not differentiable.
/// </summary>
public static class LinearStep
{
    /// <summary>Rows up to which this is faster than a matrix product, which uses each weight for many rows once it is in a register.</summary>
    public const int MostRows = 8;

    /// <summary>Multiplies.</summary>
    /// <param name="x">(B, inputs).</param>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="bias">(outputs), or null.</param>
    /// <returns>(B, outputs).</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias = null)
    {
        const string Op = nameof(LinearStep);
        ShapeCheck.Rank(Op, nameof(x), x, "(B, inputs)", 2);
        ShapeCheck.Rank(Op, nameof(weight), weight, "(outputs, inputs)", 2);
        ShapeCheck.Equal(Op, nameof(weight), weight, "(outputs, inputs)", "x", weight.size(0), x.size(1));
        ShapeCheck.EqualIfGiven(Op, nameof(bias), bias, "(outputs)", "weight", weight.size(0));
        using var noGradient = no_grad();
        return KernelBackends.Choose(Op, x).LinearStep(x, weight, bias);
    }
}
