using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Root mean square norm with a fused residual add: s = x + residual, y = s / sqrt(mean(s²) + eps) · weight.
/// Source: <c>rms_norm_ref</c> of state-spaces/mamba e9594ce.
/// </summary>
public static class RmsNorm
{
    /// <summary>Normalises over the last dimension. Gradients flow to every tensor operand.</summary>
    /// <param name="x">(…, D).</param>
    /// <param name="residual">Same shape as <paramref name="x"/>, or null.</param>
    /// <param name="weight">(D).</param>
    /// <param name="epsilon">Added to the mean square before the root.</param>
    /// <param name="returnSum">Whether s is wanted; the last norm of a model has no use for it.</param>
    /// <returns>y, and s = x + residual (x itself when there is no residual), which the next block adds to; null unless wanted.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static (Tensor Y, Tensor? Sum) Forward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool returnSum = true)
    {
        const string Op = nameof(RmsNorm);
        var shape = x.shape;
        if (shape.Length == 0)
            throw new ArgumentException($"{Op}: x is a scalar; expected (…, D).", nameof(x));
        ShapeCheck.EqualIfGiven(Op, nameof(residual), residual, "(…, D)", "x", shape);
        ShapeCheck.Equal(Op, nameof(weight), weight, "(D)", "x", shape[^1]);
        var backend = KernelBackends.Choose(Op, x);
        return backend is IBackwardKernels kernels && AutogradNeed.Any(x, residual, weight)
            ? RmsNormFunction.Apply(kernels, x, residual, weight, epsilon, returnSum)
            : backend.RmsNormForward(x, residual, weight, epsilon, returnSum);
    }
}
