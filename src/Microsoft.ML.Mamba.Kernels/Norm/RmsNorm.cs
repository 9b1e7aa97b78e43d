namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// RMSNorm with the residual add in front of it, row by row.
/// <code>
/// s = x + residual,  r = 1 / sqrt(mean(s²) + eps),  y = s·r·weight
/// </code>
/// Source: <c>rms_norm_ref</c> of state-spaces/mamba at e9594ce1c732d97440f0332fdc43170a2294dbfa (without bias).
/// Results do not depend on the number of threads. Every output may be the same rows as an input of its shape.
/// </summary>
public static class RmsNorm
{
    /// <summary>Adds and normalises rows.</summary>
    /// <param name="x">x, (rows, D), any row stride.</param>
    /// <param name="residual">Added to x, (rows, D), or absent for zeros.</param>
    /// <param name="weight">Scale, (1, D).</param>
    /// <param name="epsilon">eps, added to the mean square, &gt; 0.</param>
    /// <param name="y">Output: the normalised rows, (rows, D).</param>
    /// <param name="residualOut">Output: s = x + residual, (rows, D); absent when not wanted.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Forward(
        Rows<float> x, Rows<float> residual, Rows<float> weight, double epsilon, Rows<float> y, Rows<float> residualOut, int threads = 0)
    {
        RmsNormArguments.RequireForward(x, residual, weight, epsilon, y, residualOut);
        SimdWidth.Dispatch(new RmsNormForwardBody(x, residual, weight, epsilon, y, residualOut, threads));
    }

    /// <summary>The gradients of <see cref="Forward"/>.</summary>
    /// <param name="sum">s = x + residual of the forward pass, (rows, D).</param>
    /// <param name="weight">Scale, (1, D).</param>
    /// <param name="epsilon">eps of the forward pass.</param>
    /// <param name="dy">Gradient of y, (rows, D).</param>
    /// <param name="dResidualOut">Gradient of s where it was an output, (rows, D), or absent for zeros.</param>
    /// <param name="dx">Output: gradient of x, and of the residual, which is the same, (rows, D); absent when not wanted.</param>
    /// <param name="dWeight">Output: gradient of the scale, (1, D); absent when not wanted.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Backward(
        Rows<float> sum, Rows<float> weight, double epsilon, Rows<float> dy, Rows<float> dResidualOut, Rows<float> dx, Rows<float> dWeight, int threads = 0)
    {
        RmsNormArguments.RequireBackward(sum, weight, epsilon, dy, dResidualOut, dx, dWeight);
        SimdWidth.Dispatch(new RmsNormBackwardBody(sum, weight, epsilon, dy, dResidualOut, dx, dWeight, threads));
    }
}
