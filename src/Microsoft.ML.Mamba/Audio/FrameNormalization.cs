namespace Microsoft.ML.Mamba;

/// <summary>How the values of each band are brought to a common scale. The numbers are written into models.</summary>
public enum FrameNormalization
{
    /// <summary>They are left as they are.</summary>
    None = 0,

    /// <summary>Mean 0 over the clip: removes what a microphone or a room does to all frames.</summary>
    ClipMean = 1,

    /// <summary>Mean 0 and standard deviation 1 over the clip.</summary>
    Clip = 2,

    /// <summary>Mean 0 and standard deviation 1 over all clips that <c>Fit</c> saw; loudness differs between clips as it did.</summary>
    Dataset = 3,
}
