namespace Microsoft.ML.Mamba;

/// <summary>How frequencies are spaced as an ear hears them. The numbers are written into models.</summary>
public enum MelScale
{
    /// <summary>2595·log10(1 + f/700), as in HTK and torchaudio.</summary>
    Htk = 0,

    /// <summary>Linear below 1000 Hz, logarithmic above, as in Slaney's Auditory Toolbox and librosa.</summary>
    Slaney = 1,
}
