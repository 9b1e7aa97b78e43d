namespace Microsoft.ML.Mamba;

/// <summary>What <see cref="SequenceTokenizer.DnaWith"/> does with a character that is no nucleotide and no IUPAC code.</summary>
public enum DnaUnknownPolicy
{
    /// <summary>Throws a <see cref="SequenceTokenizationException"/> that names the character and its position (the default).</summary>
    Throw,

    /// <summary>Reads the character as <c>N</c>, the unknown nucleotide.</summary>
    N,
}
