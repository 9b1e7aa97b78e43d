using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// A low-pass filter that brings samples from one rate to another: a sinc under a Kaiser window, as one short filter for each of
/// the positions that an output sample can have between two input samples (polyphase).
/// With N half the lower of the two rates: frequencies up to <see cref="PassBand"/>·N keep their strength within
/// <see cref="RippleDecibels"/>; what lies above N is weaker by at least <see cref="StopBandDecibels"/>.
/// </summary>
internal sealed class ResamplingFilter
{
    /// <summary>By how much what lies above half the lower rate is weakened, dB.</summary>
    public const double StopBandDecibels = 100;

    /// <summary>The share of half the lower rate that passes unchanged.</summary>
    public const double PassBand = 0.9;

    /// <summary>The largest change of strength within the pass-band, dB.</summary>
    public const double RippleDecibels = 0.001;

    /// <summary>All phases together; more would be 64 MiB for one pair of rates.</summary>
    private const long MostCoefficients = 1 << 24;

    // Kaiser 1974: the window's shape and length from attenuation A and transition width w (radians per sample).
    // 3 dB more than promised, for the rounding of coefficients and sums.
    private const double Attenuation = StopBandDecibels + 3;
    private const double Beta = 0.1102 * (Attenuation - 8.7);

    private readonly float[]?[] _phases;
    private readonly double _cutoff;
    private readonly double _halfWidth;

    private ResamplingFilter(int up, int down)
    {
        (Up, Down) = (up, down);
        var lower = Math.Min(1.0, (double)up / down); // half the lower rate, as a share of half the input's
        var transition = (1 - PassBand) * lower * Math.PI;
        _cutoff = lower * (1 + PassBand) / 2;
        _halfWidth = (Attenuation - 7.95) / (2.285 * transition) / 2;
        Reach = (int)Math.Ceiling(_halfWidth);
        _phases = new float[up][];
    }

    /// <summary>Output samples for every <see cref="Down"/> input samples.</summary>
    public int Up { get; }

    public int Down { get; }

    /// <summary>Input samples on either side that an output sample depends on; a phase has twice as many coefficients.</summary>
    public int Reach { get; }

    /// <exception cref="MambaAudioException">The two rates have so little in common that the filter would be huge.</exception>
    public static ResamplingFilter Between(int from, int to, string path)
    {
        var common = (int)BigInteger.GreatestCommonDivisor(from, to);
        var filter = new ResamplingFilter(to / common, from / common);
        var coefficients = 2L * filter.Reach * filter.Up;
        if (coefficients > MostCoefficients)
            throw new MambaAudioException(path, $"from {from} to {to} Hz takes a filter of {coefficients} coefficients; expected at most {MostCoefficients}. Choose a sample rate that divides {from}, or resample the file first.");
        return filter;
    }

    /// <summary>How many samples come out of some that go in: those whose time lies before the end of the input.</summary>
    public long OutputLength(long inputLength) => (long)(((Int128)inputLength * Up + Down - 1) / Down);

    /// <summary>The output sample between input samples: Σ over 2·Reach of them.</summary>
    /// <param name="window">The input samples from Reach - 1 before the one at or before the output's time, to Reach after it.</param>
    /// <param name="phase">The time between that one and the next, in 1/Up.</param>
    public float Apply(ReadOnlySpan<float> window, int phase)
    {
        var coefficients = (_phases[phase] ??= Phase(phase)).AsSpan(0, window.Length);
        var sums = Vector<float>.Zero;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(window);
        var factors = MemoryMarshal.Cast<float, Vector<float>>(coefficients);
        for (var i = 0; i < vectors.Length; i++)
            sums += vectors[i] * factors[i];
        var sum = Vector.Sum(sums);
        for (var i = vectors.Length * Vector<float>.Count; i < window.Length; i++)
            sum += window[i] * coefficients[i];
        return sum;
    }

    // Made when first needed: a short file with an odd rate needs few of many. Two threads make the same numbers.
    private float[] Phase(int phase)
    {
        var values = new double[2 * Reach];
        var sum = 0.0;
        for (var i = 0; i < values.Length; i++)
        {
            var time = i - (Reach - 1) - ((double)phase / Up);
            values[i] = Sinc(_cutoff * time) * Kaiser(time / _halfWidth);
            sum += values[i];
        }
        return [.. values.Select(v => (float)(v / sum))]; // a constant stays what it is
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static double Kaiser(double x) => Math.Abs(x) >= 1 ? 0 : BesselI0(Beta * Math.Sqrt(1 - (x * x)));

    // Σ ((x/2)^k / k!)², to the last bit.
    private static double BesselI0(double x)
    {
        double sum = 1, term = 1;
        for (var k = 1; term > 1e-17 * sum; k++)
        {
            term *= x / 2 / k * (x / 2 / k);
            sum += term;
        }
        return sum;
    }
}
