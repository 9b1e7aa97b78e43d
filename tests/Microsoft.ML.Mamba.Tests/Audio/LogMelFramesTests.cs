using Microsoft.ML.Mamba.Audio;

namespace Microsoft.ML.Mamba.Tests.Audio;

public sealed class LogMelFramesTests
{
    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 7)]
    [InlineData(false, 1)]
    [InlineData(false, 7)]
    public void Frames_do_not_depend_on_how_many_are_transformed_at_once(bool center, int framesPerPart)
    {
        var settings = Settings(o => (o.Center, o.Deltas) = (center, 2));
        var samples = Noise(8_000, seed: 1);

        Assert.Equal(Frames(settings, samples), Frames(settings, samples, framesPerPart));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(79)]
    [InlineData(80)]
    [InlineData(81)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    public void Clips_of_any_length_have_the_frames_that_the_rule_says(int samples)
    {
        var centred = Frames(Settings(), Noise(samples, seed: 2));
        var whole = Frames(Settings(o => o.Center = false), Noise(samples, seed: 2));

        Assert.Equal(samples == 0 ? 0 : 1 + (samples / 80), centred.Length / 40);
        Assert.Equal(samples < 256 ? 0 : 1 + ((samples - 256) / 80), whole.Length / 40);
        Assert.All(centred.Concat(whole), v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void Silence_is_at_the_floor()
    {
        var frames = Frames(Settings(o => o.Floor = 1e-6), new float[1000]);

        Assert.All(frames, v => Assert.Equal(MathF.Log(1e-6f), v));
    }

    [Fact]
    public void Decibels_are_those_of_the_power_whatever_the_exponent()
    {
        var samples = Noise(4000, seed: 3);
        // One frequency of the spectrum, 1000 Hz, in the one band: the sum of magnitudes is the magnitude of the sum.
        var settings = Settings(o => (o.Logarithm, o.MelBands) = (MelLogarithm.Decibel, 1)) with { LowestFrequency = 969.5, HighestFrequency = 1030.5, Scale = MelScale.Slaney };

        var power = Frames(settings, samples);
        var magnitude = Frames(settings with { Power = 1 }, samples);

        Assert.All(power.Zip(magnitude), p => Assert.Equal(p.First, p.Second, 0.2f));
    }

    [Fact]
    public void A_clip_at_mean_0_and_deviation_1_is_so_in_each_band()
    {
        var settings = Settings(o => (o.Normalization, o.Deltas) = (FrameNormalization.Clip, 1));
        var frames = Frames(settings, Noise(8000, seed: 4)).Chunk(settings.FrameWidth).ToArray();

        for (var i = 0; i < settings.FrameWidth; i++)
        {
            Assert.InRange(frames.Average(f => (double)f[i]), -1e-4, 1e-4);
            Assert.InRange(frames.Average(f => (double)f[i] * f[i]), 0.999, 1.001);
        }
    }

    [Fact]
    public void Without_its_mean_a_clip_does_not_tell_how_loud_it_was()
    {
        var settings = Settings(o => o.Normalization = FrameNormalization.ClipMean);
        var samples = Noise(4000, seed: 5);

        var loud = Frames(settings, samples);
        var quiet = Frames(settings, [.. samples.Select(s => s / 8)]);

        Assert.All(loud.Zip(quiet), p => Assert.Equal(p.First, p.Second, 1e-3f));
    }

    [Fact]
    public void Constant_frames_do_not_become_noise()
    {
        var frames = Frames(Settings(o => o.Normalization = FrameNormalization.Clip), new float[4000]);

        Assert.All(frames, v => Assert.Equal(0f, v));
    }

    [Fact]
    public void Slopes_are_those_of_a_line_and_slopes_of_slopes_are_zero()
    {
        var frames = new float[10 * 3];
        for (var t = 0; t < 10; t++)
            frames[3 * t] = 5 + (0.25f * t);
        FrameDeltas.Fill(frames, 3, from: 0, 1);
        FrameDeltas.Fill(frames, 3, from: 1, 1);

        for (var t = 2; t < 8; t++)
            Assert.Equal(0.25f, frames[(3 * t) + 1], 1e-6f);
        for (var t = 4; t < 6; t++)
            Assert.Equal(0f, frames[(3 * t) + 2], 1e-6f);
        Assert.Equal(0.25f * (1 + (2 * 2)) / 10, frames[1], 1e-6f);
    }

    [Fact]
    public void Memory_beside_samples_and_frames_does_not_grow_with_the_length()
    {
        var settings = Settings();
        var extractor = new LogMelFrames(settings);
        long Allocated(int seconds)
        {
            var samples = Noise(8000 * seconds, seed: 6);
            var frames = new float[settings.FrameCount(samples.Length) * settings.FrameWidth];
            extractor.Compute(samples, frames);
            var most = 0L;
            var before = GC.GetAllocatedBytesForCurrentThread();
            extractor.Compute(samples, frames);
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            return most / Math.Max(1, frames.Length / settings.FrameWidth / (LogMelFrames.SpectrumPerPart / (2 * settings.Bins)));
        }

        // So many bytes for each part, however many parts there are.
        Assert.InRange(Allocated(600), 0, 12 * LogMelFrames.SpectrumPerPart);
    }

    [Fact]
    public void Statistics_are_those_of_all_frames_together()
    {
        var random = new Random(7);
        float[] frames = [.. Enumerable.Range(0, 3000).Select(_ => (10 * random.NextSingle()) - 3)];
        var sums = new FrameSums(3);
        sums.Add(frames.AsSpan(0, 300));
        sums.Add([]);
        sums.Add([float.NaN, 1, 1]);
        sums.Add(frames.AsSpan(300));

        var statistics = sums.ToStatistics();

        Assert.Equal(1000, sums.Count);
        for (var i = 0; i < 3; i++)
        {
            var column = frames.Where((_, at) => at % 3 == i).Select(v => (double)v).ToArray();
            Assert.Equal(column.Average(), statistics.Mean[i], 1e-4);
            Assert.Equal(Math.Sqrt(column.Average(v => v * v) - Math.Pow(column.Average(), 2)), statistics.Deviation[i], 1e-4);
        }
    }

    private static LogMelSettings Settings(Action<LogMelFramesEstimator.Options>? change = null)
    {
        var options = new LogMelFramesEstimator.Options { Normalization = FrameNormalization.None };
        change?.Invoke(options);
        return options.At(8000);
    }

    private static float[] Frames(LogMelSettings settings, float[] samples, int framesPerPart = 0)
    {
        var frames = new float[settings.FrameCount(samples.Length) * settings.FrameWidth];
        new LogMelFrames(settings, framesPerPart: framesPerPart).Compute(samples, frames);
        return frames;
    }

    private static float[] Noise(int samples, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, samples).Select(_ => random.NextSingle() - 0.5f)];
    }
}
