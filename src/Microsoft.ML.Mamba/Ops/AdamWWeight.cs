using Microsoft.ML.Mamba.Kernels;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>A weight with what a step of <see cref="AdamW"/> needs of it.</summary>
/// <param name="Weight">Any shape, contiguous; updated in place.</param>
/// <param name="Gradient">Gradient of the loss, the weight's shape.</param>
/// <param name="FirstMoment">The weight's shape, contiguous; zeros before the first step; updated in place.</param>
/// <param name="SecondMoment">The same.</param>
/// <param name="Step">Settings.</param>
public readonly record struct AdamWWeight(Tensor Weight, Tensor Gradient, Tensor FirstMoment, Tensor SecondMoment, AdamWStep Step)
{
    /// <summary>What is to be updated when the processor looks at a guard's numbers, for which it waits: none of the weights, or all with clipped gradients.</summary>
    internal static IEnumerable<AdamWWeight> Guarded(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard)
    {
        if (guard is not { } numbers)
            return weights;
        return numbers.Scale() is { } scale
            ? weights.Select(w => w with { Step = w.Step with { GradientScale = w.Step.GradientScale * scale } })
            : [];
    }
}
