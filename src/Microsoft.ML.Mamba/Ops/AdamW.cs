using Microsoft.ML.Mamba.Kernels;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The update of weights by their gradients. TorchSharp's own optimizers make a Scalar for each number and weight, which the
/// collector may free while libtorch still reads it: see docs/numerics.md.
/// </summary>
public static class AdamW
{
    /// <summary>Updates weights and their moments in place; nothing of it is recorded for gradients. A GPU does them all in one launch.</summary>
    /// <param name="weights">On one device and of one type.</param>
    /// <exception cref="ArgumentException">A shape or a setting does not fit, or a tensor that is written is not contiguous.</exception>
    public static void Step(IReadOnlyList<AdamWWeight> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach (var weight in weights)
            Require(weight);
        using var noGradient = no_grad();
        if (weights.Count > 0)
            KernelBackends.Choose(nameof(AdamW), weights[0].Weight).AdamWStep(weights);
    }

    /// <summary>Updates one weight and its moments in place; nothing of it is recorded for gradients.</summary>
    /// <param name="weight">Any shape, contiguous.</param>
    /// <param name="gradient">Gradient of the loss, the weight's shape.</param>
    /// <param name="firstMoment">The weight's shape, contiguous; zeros before the first step.</param>
    /// <param name="secondMoment">The weight's shape, contiguous; zeros before the first step.</param>
    /// <param name="step">Settings.</param>
    /// <exception cref="ArgumentException">A shape or a setting does not fit, or a tensor that is written is not contiguous.</exception>
    public static void Step(Tensor weight, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step) =>
        Step([new AdamWWeight(weight, gradient, firstMoment, secondMoment, step)]);

    private static void Require(in AdamWWeight weight)
    {
        RequireContiguous(nameof(weight), weight.Weight);
        RequireContiguous("firstMoment", weight.FirstMoment);
        RequireContiguous("secondMoment", weight.SecondMoment);
        RequireShape("gradient", weight.Gradient, weight.Weight);
        RequireShape("firstMoment", weight.FirstMoment, weight.Weight);
        RequireShape("secondMoment", weight.SecondMoment, weight.Weight);
    }

    private static void RequireShape(string name, Tensor tensor, Tensor weight)
    {
        var sizes = (Span<long>)stackalloc long[checked((int)weight.dim())];
        for (var i = 0; i < sizes.Length; i++)
            sizes[i] = weight.size(i);
        ShapeCheck.Equal(nameof(AdamW), name, tensor, "the shape", "weight", sizes);
    }

    private static void RequireContiguous(string name, Tensor tensor)
    {
        if (!tensor.is_contiguous())
            throw new ArgumentException($"{nameof(AdamW)}: {name} is not contiguous; expected a tensor that can be updated in place.", name);
    }

    /// <summary>The sum of the squares of the elements of all gradients: one wait for the device, however many there are.</summary>
    /// <param name="gradients">Any shapes, on one device and of one type.</param>
    public static double SumOfSquares(IReadOnlyList<Tensor> gradients)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        using var noGradient = no_grad();
        return gradients.Count == 0 ? 0 : KernelBackends.Choose(nameof(SumOfSquares), gradients[0]).SumOfSquares(gradients);
    }

    /// <summary>The sum of the squares of a gradient's elements.</summary>
    /// <param name="gradient">Any shape.</param>
    public static double SumOfSquares(Tensor gradient)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        return SumOfSquares([gradient]);
    }
}
