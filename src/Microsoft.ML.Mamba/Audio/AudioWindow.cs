namespace Microsoft.ML.Mamba;

/// <summary>What the samples of a frame are weighted with before their spectrum is taken. The numbers are written into models.</summary>
public enum AudioWindow
{
    /// <summary>0.5 - 0.5·cos(2πn/length), periodic.</summary>
    Hann = 0,

    /// <summary>0.54 - 0.46·cos(2πn/length), periodic.</summary>
    Hamming = 1,
}
