namespace Microsoft.ML.Mamba;

/// <summary>Whether an encoder reads both strands of DNA with the same weights.</summary>
public enum MambaReverseComplement
{
    /// <summary>It reads the sequence that it is given.</summary>
    None,

    /// <summary>
    /// It reads the sequence and its reverse complement with the same weights (Caduceus-PS, arXiv 2403.03234). The vector or the
    /// scores of a sequence are then those of its reverse complement, and its states position by position those of its reverse
    /// complement read backwards. Twice the work. The text tokenizer must know complements, as <see cref="SequenceTokenizer.Dna"/> does.
    /// </summary>
    Equivariant,

    /// <summary>
    /// The same with the strands exchanged, and their features reversed, in front of every block: what Caduceus computes where
    /// its fused_add_norm is true. For its checkpoints; other models have no use for it.
    /// </summary>
    EquivariantExchanging,
}
