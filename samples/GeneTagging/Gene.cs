/// <summary>A gene: the nucleotides [From, To), from 0, of a sequence, from the first letter of the start codon to the last of the stop codon.</summary>
/// <param name="Sequence">The name of the sequence.</param>
/// <param name="From">Its first nucleotide, from 0, whichever the strand.</param>
/// <param name="To">The nucleotide behind its last.</param>
/// <param name="Strand">'+' or '-'.</param>
/// <param name="Score">How sure it is, 0 to 1; NaN: not said.</param>
internal sealed record Gene(string Sequence, int From, int To, char Strand, double Score = double.NaN)
{
    public int Length => To - From;

    /// <summary>What two finds of one gene share, even where they disagree about the start codon.</summary>
    public (string Sequence, char Strand, int Stop) End => (Sequence, Strand, Strand == '+' ? To : From);

    /// <summary>The place itself.</summary>
    public (string Sequence, char Strand, int From, int To) Place => (Sequence, Strand, From, To);
}

/// <summary>A sequence by name and length.</summary>
internal sealed record Region(string Name, int Length);
