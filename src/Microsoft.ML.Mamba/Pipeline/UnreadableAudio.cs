namespace Microsoft.ML.Mamba;

/// <summary>What happens to a row whose audio file cannot be read. The numbers are written into models.</summary>
public enum UnreadableAudio
{
    /// <summary>A <see cref="MambaAudioException"/> ends the pass.</summary>
    Throw = 0,

    /// <summary>The row has no samples (an empty vector); one warning at the end tells how many rows there were, and the error of the first.</summary>
    Missing = 1,
}
