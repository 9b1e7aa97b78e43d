using Microsoft.ML.Mamba.Kernels;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The update of weights by their gradients. TorchSharp's own optimizers make a Scalar for each number and weight, which the
/// collector may free while libtorch still reads it: see docs/numerics.md.
/// </summary>
public static class AdamW
{
    /// <summary>Updates weights and their moments in place; nothing of it is recorded for gradients. A GPU does them all in one launch, which nobody waits for.</summary>
    /// <param name="weights">On one device and of one type.</param>
    /// <param name="guard">When no step is to be taken, and how gradients are clipped; null for a step in any case by gradients as they are.</param>
    /// <exception cref="ArgumentException">A shape or a setting does not fit, or a tensor that is written is not contiguous.</exception>
    public static void Step(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach (var weight in weights)
            Require(weight);
        guard?.Require();
        using var noGradient = no_grad();
        if (weights.Count > 0)
            KernelBackends.Choose(nameof(AdamW), weights[0].Weight).AdamWStep(weights, guard);
    }

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

    /// <summary>The sum of the squares of the elements of all gradients.</summary>
    /// <param name="gradients">Any shapes, on one device and of one type; at least one.</param>
    /// <returns>A float64 scalar on the gradients' device, which nobody waited for.</returns>
    /// <exception cref="ArgumentException">There are no gradients.</exception>
    public static Tensor SumOfSquares(IReadOnlyList<Tensor> gradients)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        if (gradients.Count == 0)
            throw new ArgumentException($"{nameof(SumOfSquares)}: there are no gradients; expected at least one, whose device says where the sum belongs.", nameof(gradients));
        using var noGradient = no_grad();
        return KernelBackends.Choose(nameof(SumOfSquares), gradients[0]).SumOfSquares(gradients);
    }
}
