namespace Microsoft.ML.Mamba;

/// <summary>The norm in front of every block and after the last, over the DModel features of each position.</summary>
public enum MambaNorm
{
    /// <summary>x / sqrt(mean(x²) + NormEpsilon) · weight (Zhang and Sennrich, arXiv 1910.07467). Mamba was published with it.</summary>
    RmsNorm,

    /// <summary>(x − mean(x)) / sqrt(variance(x) + NormEpsilon) · weight + bias (Ba and others, arXiv 1607.06450): <c>rms_norm</c> false in state-spaces/mamba.</summary>
    LayerNorm,
}
