namespace Microsoft.ML.Mamba.Audio;

/// <summary>How samples become log-mel frames, all of it in samples, Hz and counts.</summary>
/// <param name="SampleRate">Hz.</param>
/// <param name="WindowLength">Samples that a frame looks at, 1 to FftSize.</param>
/// <param name="HopLength">Samples from one frame to the next.</param>
/// <param name="FftSize">Samples that the transform is taken of; the window stands in their middle.</param>
/// <param name="Window">The shape of the window.</param>
/// <param name="Center">Whether frame i is centred at sample i·HopLength (the ends reflected), or begins there (nothing added).</param>
/// <param name="MelBands">Values per frame, before deltas.</param>
/// <param name="Scale">The spacing of the bands.</param>
/// <param name="SlaneyNormalization">Whether each filter has the area 1 in Hz, or the peak 1.</param>
/// <param name="LowestFrequency">Where the lowest filter begins, Hz.</param>
/// <param name="HighestFrequency">Where the highest filter ends, Hz.</param>
/// <param name="Power">The exponent of the magnitude: 2 = power, 1 = magnitude.</param>
/// <param name="Floor">The smallest value that the logarithm is taken of.</param>
/// <param name="Logarithm">The unit.</param>
/// <param name="Deltas">0, 1 (slopes too) or 2 (and slopes of the slopes).</param>
/// <param name="Normalization">Of each band and delta.</param>
internal sealed record LogMelSettings(
    int SampleRate, int WindowLength, int HopLength, int FftSize, AudioWindow Window, bool Center,
    int MelBands, MelScale Scale, bool SlaneyNormalization, double LowestFrequency, double HighestFrequency,
    double Power, double Floor, MelLogarithm Logarithm, int Deltas, FrameNormalization Normalization)
{
    public const int LongestFft = 1 << 16, MostBands = 1 << 12;

    /// <summary>Values per frame.</summary>
    public int FrameWidth => MelBands * (1 + Deltas);

    /// <summary>Frequencies of a spectrum.</summary>
    public int Bins => (FftSize / 2) + 1;

    /// <summary>The frames of a clip: none without samples.</summary>
    public int FrameCount(int samples)
    {
        if (samples == 0)
            return 0;
        return Center ? 1 + (samples / HopLength) : samples < FftSize ? 0 : 1 + ((samples - FftSize) / HopLength);
    }

    /// <summary>Sentences about all that is out of range.</summary>
    public IEnumerable<string> Violations()
    {
        if (SampleRate is < WaveFormat.LowestRate or > WaveFormat.HighestRate)
            yield return FormattableString.Invariant($"SampleRate is {SampleRate}; expected {WaveFormat.LowestRate} to {WaveFormat.HighestRate} Hz.");
        if (FftSize is < 2 or > LongestFft)
            yield return FormattableString.Invariant($"FftSize is {FftSize}; expected 2 to {LongestFft} samples, or 0.");
        if (WindowLength < 1 || WindowLength > FftSize)
            yield return FormattableString.Invariant($"WindowLength is {WindowLength}; expected 1 to FftSize = {FftSize} samples.");
        if (HopLength < 1)
            yield return FormattableString.Invariant($"HopLength is {HopLength}; expected at least 1 sample.");
        if (!Enum.IsDefined(Window))
            yield return $"Window is {Window}; expected {string.Join(" or ", Enum.GetNames<AudioWindow>())}.";
        if (MelBands is < 1 or > MostBands)
            yield return FormattableString.Invariant($"MelBands is {MelBands}; expected 1 to {MostBands}.");
        if (!Enum.IsDefined(Scale))
            yield return $"Scale is {Scale}; expected {string.Join(" or ", Enum.GetNames<MelScale>())}.";
        if (!(LowestFrequency >= 0) || !(LowestFrequency < HighestFrequency) || !(HighestFrequency <= SampleRate / 2.0))
            yield return FormattableString.Invariant($"LowestFrequency is {LowestFrequency} and HighestFrequency {HighestFrequency}; expected 0 ≤ lowest < highest ≤ SampleRate / 2 = {SampleRate / 2.0} Hz.");
        if (!(Power > 0) || !double.IsFinite(Power))
            yield return FormattableString.Invariant($"Power is {Power}; expected a finite number above 0.");
        if (!((float)Floor > 0) || !float.IsFinite((float)Floor))
            yield return FormattableString.Invariant($"Floor is {Floor}; expected a finite number above 0.");
        if (!Enum.IsDefined(Logarithm))
            yield return $"Logarithm is {Logarithm}; expected {string.Join(" or ", Enum.GetNames<MelLogarithm>())}.";
        if (Deltas is < 0 or > 2)
            yield return FormattableString.Invariant($"Deltas is {Deltas}; expected 0, 1 or 2.");
        if (!Enum.IsDefined(Normalization))
            yield return $"Normalization is {Normalization}; expected one of {string.Join(", ", Enum.GetNames<FrameNormalization>())}.";
    }
}
