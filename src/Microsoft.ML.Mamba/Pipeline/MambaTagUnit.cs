namespace Microsoft.ML.Mamba;

/// <summary>What the labels of a sequence belong to.</summary>
public enum MambaTagUnit
{
    /// <summary>
    /// Each position (token, frame, nucleotide). The label column is a vector of keys as long as the sequence, a missing key being a
    /// position that does not count; or text with one character per position, each character being a label.
    /// </summary>
    Position,

    /// <summary>
    /// Each word of a text, a word being what stands between white space. The label column is text with one label per word, between
    /// white space, or a vector of keys with one key per word.
    /// </summary>
    Word,

    /// <summary>
    /// Stretches of time. The label column is text, <c>onset offset label; onset offset label; …</c>, in seconds from the start of the
    /// sequence. A frame has the label of the event that its middle lies in (onset included, offset not; of several the last one), or else
    /// the background label.
    /// </summary>
    Event,
}
