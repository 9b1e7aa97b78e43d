using Microsoft.ML.Mamba.Audio;

namespace Microsoft.ML.Mamba.Tests.Audio;

public sealed class ResamplerTests
{
    private const double Amplitude = 0.5;

    [Theory]
    [InlineData(48_000, 16_000)]
    [InlineData(44_100, 16_000)]
    [InlineData(16_000, 8_000)]
    [InlineData(22_050, 8_000)]
    [InlineData(16_001, 8_000)]
    public void What_lies_above_half_the_new_rate_is_weakened_by_the_stop_band(int from, int to)
    {
        var nyquist = to / 2.0;
        foreach (var frequency in new[] { nyquist, nyquist * 1.01, nyquist * 1.2, (nyquist + (from / 2.0)) / 2, (from / 2.0) - 1 })
        {
            var alias = Inner(Resample(Tone(frequency, from, seconds: 0.5), from, to)).Max(s => Math.Abs((double)s));
            var decibels = 20 * Math.Log10(alias / Amplitude);
            Assert.True(decibels <= -ResamplingFilter.StopBandDecibels, $"{from} → {to} Hz: a tone of {frequency} Hz is {decibels:F1} dB; expected at most -{ResamplingFilter.StopBandDecibels}");
        }
    }

    [Theory]
    [InlineData(48_000, 16_000)]
    [InlineData(44_100, 16_000)]
    [InlineData(8_000, 16_000)]
    [InlineData(11_025, 16_000)]
    [InlineData(16_000, 15_999)]
    public void Tones_in_the_pass_band_stay_what_and_when_they_are(int from, int to)
    {
        var passed = ResamplingFilter.PassBand * Math.Min(from, to) / 2;
        foreach (var frequency in new[] { 10, passed / 10, passed / 2, passed * 0.9, passed })
        {
            var got = Resample(Tone(frequency, from, seconds: 0.5), from, to);
            var want = Tone(frequency, to, seconds: 0.5);
            var error = Inner([.. got.Zip(want, (g, w) => g - w)]).Max(s => Math.Abs((double)s));
            // A change of strength by so many dB moves a tone by at most this.
            var bound = Amplitude * (Math.Pow(10, ResamplingFilter.RippleDecibels / 20) - 1);
            Assert.True(error <= bound, $"{from} → {to} Hz: a tone of {frequency} Hz is off by {error:G3}; expected at most {bound:G3}");
        }
    }

    [Theory]
    [InlineData(16_000, 8_000, 5, 3)]
    [InlineData(44_100, 16_000, 44_100, 16_000)]
    [InlineData(44_100, 16_000, 44_101, 16_001)]
    [InlineData(8_000, 16_000, 1, 2)]
    [InlineData(48_000, 1_000, 1, 1)]
    public void The_length_is_that_of_the_time_rounded_up(int from, int to, int samples, int expected) =>
        Assert.Equal(expected, Resample(new float[samples], from, to).Length);

    [Fact]
    public void Constants_stay_constant_and_full_scale_stays_in_range()
    {
        var got = Resample([.. Enumerable.Repeat(1f, 20_000)], 44_100, 16_000);

        Assert.All(got, s => Assert.InRange(s, -1f, 1f));
        Assert.All(Inner(got), s => Assert.InRange(s, 0.99999f, 1f));
    }

    [Fact]
    public void Rates_without_a_common_measure_are_refused_when_the_filter_would_be_huge()
    {
        var error = Assert.Throws<MambaAudioException>(() => ResamplingFilter.Between(1_535_999, 16_000, "a.wav"));

        Assert.Contains("from 1535999 to 16000 Hz takes a filter of", error.Message, StringComparison.Ordinal);
    }

    private static float[] Tone(double frequency, int rate, double seconds) =>
        [.. Enumerable.Range(0, (int)Math.Ceiling(seconds * rate)).Select(i => (float)(Amplitude * Math.Sin((2 * Math.PI * frequency * i / rate) + 1)))];

    // Without the ends, where a tone begins and stops, which no filter can follow.
    private static float[] Inner(float[] samples) => samples[(samples.Length / 4)..(samples.Length * 3 / 4)];

    private static float[] Resample(float[] samples, int from, int to)
    {
        using var reader = WaveReader.Open(new MemoryStream(WaveBytes.Float32(from, samples)), "f");
        float[] output = [];
        new AudioFile().Read(reader, "f", to, resample: true, count => output = new float[count]);
        return output;
    }
}
