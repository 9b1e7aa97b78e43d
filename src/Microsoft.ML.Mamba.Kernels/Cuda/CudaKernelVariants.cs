namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Every kernel in every variant that the library may launch; tests compile them all without a GPU.</summary>
internal static class CudaKernelVariants
{
    public static IReadOnlyList<CudaKernelVariant> All { get; } =
    [
        .. CudaSequenceReverse.Variants,
        .. CudaCausalConv1d.Variants,
        .. CudaRmsNorm.Variants,
        .. CudaSelectiveScan.Variants,
        .. CudaSelectiveStateUpdate.Variants,
        .. CudaAdamW.Variants,
        .. CudaSumOfSquares.Variants,
        .. CudaOrderedSums.Variants,
        .. CudaCounterDropout.Variants,
        .. CudaTokenStep.Variants,
        .. CudaLargestScores.Variants,
    ];
}
