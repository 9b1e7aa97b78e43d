namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// RMS norm with a residual in a GPU's memory, see <see cref="RmsNorm"/>. x, y and their gradients have one type; residual, sum and
/// their gradients the same or float32; the weight is float32.
/// </summary>
public static class CudaRmsNorm
{
    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
    [
        .. from type in CudaNumbers.All
           from sum in new[] { type, CudaNumber.Float32 }.Distinct()
           from pack in new[] { 1, CudaNormPlan.Pack }
           from lanes in CudaNormPlan.Lanes
           from function in new[] { "forward", "backward" }
           select CudaNormPlan.Variant(function, type, sum, pack, lanes),
    ];

    /// <summary>y = s / sqrt(mean(s²) + epsilon) · weight with s = x + residual.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="x">(rows, D), any row stride.</param>
    /// <param name="residual">(rows, D) of x's type or float32, any row stride; absent for none.</param>
    /// <param name="weight">(1, D) float32.</param>
    /// <param name="epsilon">Added to the mean square, &gt; 0.</param>
    /// <param name="y">Output, (rows, D) of x's type without gaps.</param>
    /// <param name="sum">Output s, (rows, D) of the residual's type without gaps; absent when not wanted.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Forward(CudaDevice device, CudaRows x, CudaRows residual, CudaRows weight, double epsilon, CudaRows y, CudaRows sum) =>
        CudaNormPlan.Forward(device.Multiprocessors, x, residual, weight, epsilon, y, sum).On(device);

    /// <summary>Floats of memory that <see cref="Backward"/> needs for its partial sums.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="width">D.</param>
    public static long BackwardScratch(CudaDevice device, long rows, long width) => CudaNormPlan.Blocks(device.Multiprocessors, rows, width).Count * width;

    /// <summary>Gradients. Outputs that are absent are not computed.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="sum">s as the forward pass left it, (rows, D), any row stride.</param>
    /// <param name="weight">(1, D) float32.</param>
    /// <param name="epsilon">As in the forward pass.</param>
    /// <param name="dy">Gradient of y, (rows, D) of x's type, any row stride; absent for zeros.</param>
    /// <param name="dSum">Gradient of s, (rows, D) of its type, any row stride; absent for zeros.</param>
    /// <param name="dx">Output, gradient of x, (rows, D) of x's type without gaps.</param>
    /// <param name="dResidual">Output, the same gradient in the type of s, without gaps.</param>
    /// <param name="dWeight">Output, (1, D) float32.</param>
    /// <param name="scratch">Address of <see cref="BackwardScratch"/> floats on the device; needed for dWeight.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Backward(
        CudaDevice device, CudaRows sum, CudaRows weight, double epsilon, CudaRows dy, CudaRows dSum, CudaRows dx, CudaRows dResidual, CudaRows dWeight, nint scratch)
    {
        var (gradients, sums) = CudaNormPlan.Backward(device.Multiprocessors, sum, weight, epsilon, dy, dSum, dx, dResidual, dWeight, scratch);
        gradients.On(device);
        sums.On(device);
    }
}
