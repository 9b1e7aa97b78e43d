namespace Microsoft.ML.Mamba;

/// <summary>What becomes of the results of a block's two directions.</summary>
public enum MambaDirectionMerge
{
    /// <summary>Their mean, so that the stream is as large as that of a causal model.</summary>
    Mean,

    /// <summary>Their sum, as in Caduceus ("add").</summary>
    Sum,

    /// <summary>Their product, element by element, as Caduceus offers ("ew_multiply").</summary>
    Product,
}
