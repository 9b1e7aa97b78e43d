using System.Numerics;
using Microsoft.ML.Mamba.Audio;

namespace Microsoft.ML.Mamba;

public sealed partial class LogMelFramesEstimator
{
    /// <summary>All options of <see cref="LogMelFramesEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column that the frames go to. Default "Frames".</summary>
        public string OutputColumnName { get; set; } = "Frames";

        /// <summary>The column of samples, a vector of <see cref="float"/>. Null (default): the one named by <see cref="OutputColumnName"/>.</summary>
        public string? InputColumnName { get; set; }

        /// <summary>The rate of the samples, Hz. 0 (default): as the annotation <see cref="AudioAnnotations.SampleRate"/> of the column says.</summary>
        public int SampleRate { get; set; }

        /// <summary>The length of the window, ms. Default 25. <see cref="WindowLength"/> beats it.</summary>
        public double WindowMilliseconds { get; set; } = 25;

        /// <summary>The length of the window, samples. 0 (default): <see cref="WindowMilliseconds"/> decides.</summary>
        public int WindowLength { get; set; }

        /// <summary>The time from one frame to the next, ms. Default 10. <see cref="HopLength"/> beats it.</summary>
        public double HopMilliseconds { get; set; } = 10;

        /// <summary>The time from one frame to the next, samples. 0 (default): <see cref="HopMilliseconds"/> decides.</summary>
        public int HopLength { get; set; }

        /// <summary>The samples that each spectrum is taken of, up to 65,536; the window stands in their middle. 0 (default): the next power of two from the window's length.</summary>
        public int FftSize { get; set; }

        /// <summary>The shape of the window. Default <see cref="AudioWindow.Hann"/>.</summary>
        public AudioWindow Window { get; set; } = AudioWindow.Hann;

        /// <summary>
        /// True (default): frame i is centred at sample i·hop, the clip's ends are mirrored, and there are 1 + samples / hop frames.
        /// False: frame i begins there, and a clip shorter than <see cref="FftSize"/> has no frames.
        /// </summary>
        public bool Center { get; set; } = true;

        /// <summary>Bands, that is values per frame before <see cref="Deltas"/>. Default 40.</summary>
        public int MelBands { get; set; } = 40;

        /// <summary>The spacing of the bands. Default <see cref="MelScale.Htk"/>.</summary>
        public MelScale Scale { get; set; } = MelScale.Htk;

        /// <summary>True: each filter has the area 1 in Hz (Slaney). False (default): the peak 1.</summary>
        public bool SlaneyNormalization { get; set; }

        /// <summary>Where the lowest band begins, Hz. Default 0.</summary>
        public double LowestFrequency { get; set; }

        /// <summary>Where the highest band ends, Hz. 0 (default): half the sample rate.</summary>
        public double HighestFrequency { get; set; }

        /// <summary>The exponent of the magnitude: 2 (default) = power, 1 = magnitude.</summary>
        public double Power { get; set; } = 2;

        /// <summary>The smallest value that the logarithm is taken of. Default 1e-10.</summary>
        public double Floor { get; set; } = 1e-10;

        /// <summary>The unit. Default <see cref="MelLogarithm.Natural"/>.</summary>
        public MelLogarithm Logarithm { get; set; } = MelLogarithm.Natural;

        /// <summary>1: each frame also holds the slopes of its bands over five frames; 2: and the slopes of these. Default 0.</summary>
        public int Deltas { get; set; }

        /// <summary>How values are brought to a common scale; applied last, to the slopes too. Default <see cref="FrameNormalization.Dataset"/>.</summary>
        public FrameNormalization Normalization { get; set; } = FrameNormalization.Dataset;

        internal Options Clone() => (Options)MemberwiseClone();

        /// <summary>The settings at a sample rate.</summary>
        internal LogMelSettings At(int sampleRate)
        {
            var window = WindowLength != 0 ? WindowLength : Samples(WindowMilliseconds, sampleRate);
            return new(
                sampleRate, window, HopLength != 0 ? HopLength : Samples(HopMilliseconds, sampleRate),
                FftSize != 0 ? FftSize : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(window, 2, LogMelSettings.LongestFft)),
                Window, Center, MelBands, Scale, SlaneyNormalization, LowestFrequency, HighestFrequency != 0 ? HighestFrequency : sampleRate / 2.0,
                Power, Floor, Logarithm, Deltas, Normalization);
        }

        internal IEnumerable<string> ColumnViolations()
        {
            if (string.IsNullOrWhiteSpace(OutputColumnName))
                yield return "OutputColumnName is empty; expected a column name.";
            if (InputColumnName is not null && string.IsNullOrWhiteSpace(InputColumnName))
                yield return "InputColumnName is empty; expected a column name, or null.";
        }

        private static int Samples(double milliseconds, int sampleRate) =>
            (int)Math.Clamp(Math.Round(milliseconds * sampleRate / 1000), int.MinValue, int.MaxValue);
    }
}
