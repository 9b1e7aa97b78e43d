namespace Microsoft.ML.Mamba;

/// <summary>Which part of a sequence stays when it is longer than the longest length a model takes.</summary>
public enum SequenceTruncation
{
    /// <summary>The start stays, the end is cut off (the default).</summary>
    Head,

    /// <summary>The end stays, the start is cut off.</summary>
    Tail,

    /// <summary>The middle stays; as much is cut off at the start as at the end (one position less at the start when the number is odd).</summary>
    Middle,
}
