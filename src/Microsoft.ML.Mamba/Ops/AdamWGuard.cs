using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// What a step of <see cref="AdamW"/> depends on besides gradients, as numbers on the weights' device: a GPU looks at them itself, so
/// that the processor need not wait for it. Without a finite loss and a finite length of the gradient there is no step.
/// </summary>
/// <param name="Loss">The loss, one element.</param>
/// <param name="SumOfSquares">What <see cref="AdamW.SumOfSquares"/> says of all gradients, one float64 element.</param>
/// <param name="MaxNorm">
/// Gradients are scaled by min(1, MaxNorm / (√SumOfSquares + 1e-6)), as <c>torch.nn.utils.clip_grad_norm_</c> does; 0 for no clipping.
/// </param>
public readonly record struct AdamWGuard(Tensor Loss, Tensor SumOfSquares, double MaxNorm)
{
    /// <summary>What the kernels add to the length before they divide by it; torch's own.</summary>
    internal const double Epsilon = 1e-6;

    /// <summary>Factor of the gradients; null where there must be no step. Waits for the device.</summary>
    internal double? Scale()
    {
        using var scope = NewDisposeScope();
        var norm = Math.Sqrt(SumOfSquares.cpu().item<double>());
        if (!double.IsFinite(norm) || !double.IsFinite(Loss.to(ScalarType.Float64).cpu().item<double>()))
            return null;
        return MaxNorm > 0 ? Math.Min(1, MaxNorm / (norm + Epsilon)) : 1;
    }

    internal void Require()
    {
        if (Loss.NumberOfElements != 1)
            throw new ArgumentException($"{nameof(AdamW)}: the loss has {Loss.NumberOfElements} elements; expected 1.", nameof(Loss));
        if (SumOfSquares.NumberOfElements != 1 || SumOfSquares.dtype != ScalarType.Float64)
            throw new ArgumentException($"{nameof(AdamW)}: the sum of squares is {SumOfSquares.NumberOfElements} × {SumOfSquares.dtype}; expected 1 × Float64.", nameof(SumOfSquares));
        if (!(MaxNorm >= 0))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(AdamW)}: MaxNorm is {MaxNorm}; expected ≥ 0."), nameof(MaxNorm));
    }
}
