namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// The causal depthwise convolution in a GPU's memory, see <see cref="CausalConv1d"/>: x, y, states and their gradients in one of the
/// types of <see cref="CudaNumber"/>, filters, bias and their gradients in float32.
/// </summary>
public static class CudaCausalConv1d
{
    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
    [
        .. from type in CudaNumbers.All
           from width in Enumerable.Range(ConvDims.MinWidth, ConvDims.MaxWidth - ConvDims.MinWidth + 1)
           from call in new (string Function, int Pack)[] { ("forward", CudaConvPlan.ForwardPack(type, width)), ("backward", CudaConvPlan.BackwardPack(width)) }
           from pack in new[] { 1, call.Pack }
           from function in pack == 1 && call.Function == "forward" ? new[] { call.Function, "step" } : [call.Function]
           select CudaConvPlan.Variant(function, type, width, pack),
    ];

    /// <summary>Convolves whole sequences.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="x">(B·L, D), any row stride.</param>
    /// <param name="weight">(D, W) float32 without gaps.</param>
    /// <param name="bias">(1, D) float32, or absent for zeros.</param>
    /// <param name="initial">The W-1 inputs before each sequence, (B·(W-1), D), or absent for zeros.</param>
    /// <param name="silu">Whether the sums pass through SiLU.</param>
    /// <param name="y">Output, (B·L, D) without gaps.</param>
    /// <param name="last">Output, the last W-1 inputs, (B·(W-1), D) without gaps; absent when not wanted.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Forward(CudaDevice device, ConvDims dims, CudaRows x, CudaRows weight, CudaRows bias, CudaRows initial, bool silu, CudaRows y, CudaRows last) =>
        CudaConvPlan.Forward(device.Multiprocessors, dims, x, weight, bias, initial, silu, y, last).On(device);

    /// <summary>Floats of memory that <see cref="Backward"/> needs for its partial sums.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    public static long BackwardScratch(CudaDevice device, ConvDims dims) => CudaConvPlan.PartialRows(device.Multiprocessors, dims) * (dims.Width + 1) * dims.Channels;

    /// <summary>Gradients of the convolution. Outputs that are absent are not computed.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="x">As in the forward pass.</param>
    /// <param name="weight">As in the forward pass.</param>
    /// <param name="bias">As in the forward pass.</param>
    /// <param name="initial">As in the forward pass.</param>
    /// <param name="silu">As in the forward pass.</param>
    /// <param name="dy">Gradient of y, (B·L, D), any row stride; absent for zeros.</param>
    /// <param name="dLast">Gradient of the last inputs, (B·(W-1), D); absent for zeros.</param>
    /// <param name="dx">Output, (B·L, D) without gaps.</param>
    /// <param name="dWeight">Output, (D, W) float32 without gaps.</param>
    /// <param name="dBias">Output, (1, D) float32.</param>
    /// <param name="dInitial">Output, (B·(W-1), D) without gaps.</param>
    /// <param name="scratch">Address of <see cref="BackwardScratch"/> floats on the device; needed for dWeight and dBias.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Backward(
        CudaDevice device, ConvDims dims, CudaRows x, CudaRows weight, CudaRows bias, CudaRows initial, bool silu, CudaRows dy, CudaRows dLast,
        CudaRows dx, CudaRows dWeight, CudaRows dBias, CudaRows dInitial, nint scratch)
    {
        var (gradients, sums) = CudaConvPlan.Backward(
            device.Multiprocessors, dims, x, weight, bias, initial, silu, dy, dLast, dx, dWeight, dBias, dInitial, scratch);
        gradients.On(device);
        sums.On(device);
    }

    /// <summary>Convolves one position of each sequence.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes; L is 1.</param>
    /// <param name="state">In and out, the inputs before this one, oldest first, (B·(W-1), D) without gaps.</param>
    /// <param name="x">(B, D), any row stride.</param>
    /// <param name="weight">(D, W) float32 without gaps.</param>
    /// <param name="bias">(1, D) float32, or absent for zeros.</param>
    /// <param name="silu">Whether the sums pass through SiLU.</param>
    /// <param name="y">Output, (B, D) without gaps.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Step(CudaDevice device, ConvDims dims, CudaRows state, CudaRows x, CudaRows weight, CudaRows bias, bool silu, CudaRows y) =>
        CudaConvPlan.Step(dims, state, x, weight, bias, silu, y).On(device);
}
