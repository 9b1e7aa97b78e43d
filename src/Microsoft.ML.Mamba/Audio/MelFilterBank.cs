namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Triangular filters over the frequencies f[k] = k·SampleRate/FftSize of a spectrum; their corners are equally spaced in mel.
/// Only the part of each that is not zero is kept.
/// </summary>
internal sealed class MelFilterBank
{
    private readonly int[] _first;
    private readonly float[][] _weights;

    public MelFilterBank(LogMelSettings settings)
    {
        var corners = Corners(settings);
        _first = new int[settings.MelBands];
        _weights = new float[settings.MelBands][];
        for (var band = 0; band < settings.MelBands; band++)
        {
            var (left, peak, right) = (corners[band], corners[band + 1], corners[band + 2]);
            var height = settings.SlaneyNormalization ? 2 / (right - left) : 1;
            var weights = new double[settings.Bins];
            for (var bin = 0; bin < weights.Length; bin++)
            {
                var frequency = (double)bin * settings.SampleRate / settings.FftSize;
                weights[bin] = height * Math.Max(0, Math.Min((frequency - left) / (peak - left), (right - frequency) / (right - peak)));
            }
            var first = Array.FindIndex(weights, w => w > 0);
            _first[band] = Math.Max(first, 0);
            _weights[band] = first < 0 ? [] : [.. weights[first..(Array.FindLastIndex(weights, w => w > 0) + 1)].Select(w => (float)w)];
        }
    }

    public int Bands => _first.Length;

    /// <summary>Bands so narrow that no frequency of the spectrum lies in them: their value is always the floor.</summary>
    public int EmptyBands => _weights.Count(w => w.Length == 0);

    /// <summary>mel[band] = Σ weight[band, k]·spectrum[k].</summary>
    public void Apply(ReadOnlySpan<float> spectrum, Span<float> mel)
    {
        for (var band = 0; band < _weights.Length; band++)
        {
            var weights = _weights[band];
            var part = spectrum.Slice(_first[band], weights.Length);
            var sum = 0f;
            for (var i = 0; i < weights.Length; i++)
                sum += weights[i] * part[i];
            mel[band] = sum;
        }
    }

    private static double[] Corners(LogMelSettings settings)
    {
        var lowest = ToMel(settings.LowestFrequency, settings.Scale);
        var highest = ToMel(settings.HighestFrequency, settings.Scale);
        return [.. Enumerable.Range(0, settings.MelBands + 2).Select(i => ToHertz(lowest + ((highest - lowest) * i / (settings.MelBands + 1)), settings.Scale))];
    }

    // Slaney: 3/200 mel per Hz below 1000 Hz; 27 steps from there to 6400 Hz.
    private static double ToMel(double hertz, MelScale scale) => scale == MelScale.Htk ? 2595 * Math.Log10(1 + (hertz / 700))
        : hertz < 1000 ? hertz * 3 / 200 : 15 + (27 * Math.Log(hertz / 1000) / Math.Log(6.4));

    private static double ToHertz(double mel, MelScale scale) => scale == MelScale.Htk ? 700 * (Math.Pow(10, mel / 2595) - 1)
        : mel < 15 ? mel * 200 / 3 : 1000 * Math.Exp((mel - 15) * Math.Log(6.4) / 27);
}
