/// <summary>
/// The sounds of <see cref="SyntheticScenes"/>. A single moment cannot tell them apart: rise, fall, whistle and warble are one tone at any
/// moment, and only its way through time says which; a rattle is a row of knocks with silence between them that belongs to it, and a lone
/// knock is no event at all.
/// </summary>
internal sealed class SyntheticSounds(int sampleRate, Random random)
{
    public static readonly string[] Labels = ["fall", "hiss", "rattle", "rise", "warble", "whistle"];

    /// <summary>A sound of a label.</summary>
    public float[] Of(string label) => label switch
    {
        "rise" => Glide(Uniform(0.12, 0.4), Uniform(0.5, 1.1)),
        "fall" => Glide(Uniform(0.12, 0.4), -Uniform(0.5, 1.1)),
        "whistle" => Glide(Uniform(0.15, 0.5), Uniform(-0.05, 0.05)),
        "warble" => Warble(Uniform(0.3, 0.7), Uniform(0.12, 0.3), Uniform(12, 20)),
        "rattle" => Rattle(Uniform(0.3, 0.8), Uniform(18, 30)),
        "hiss" => Hiss(Uniform(0.15, 0.5)),
        _ => throw new ArgumentException($"There is no sound '{label}'; expected one of {string.Join(", ", Labels)}.", nameof(label)),
    };

    /// <summary>A lone knock, which is no event.</summary>
    public float[] Knock() => Decayed(Band(SamplesIn(0.06), Uniform(1800, 5000)));

    /// <summary>A number drawn evenly from a range.</summary>
    public double Uniform(double from, double to) => from + ((to - from) * random.NextDouble());

    private int SamplesIn(double seconds) => (int)(seconds * sampleRate);

    /// <summary>A tone that goes up or down by so many octaves.</summary>
    private float[] Glide(double seconds, double octaves) => Tone(seconds, t => octaves * ((t / seconds) - 0.5));

    /// <summary>A tone that swings by so many octaves, so many times a second.</summary>
    private float[] Warble(double seconds, double octaves, double hertz)
    {
        var phase = Uniform(0, 2 * Math.PI);
        return Tone(seconds, t => octaves * Math.Sin((2 * Math.PI * hertz * t) + phase));
    }

    /// <param name="seconds">The duration.</param>
    /// <param name="octavesAt">How far from its middle the pitch is at a time in seconds.</param>
    private float[] Tone(double seconds, Func<double, double> octavesAt)
    {
        var middle = 900 * Math.Pow(2, Uniform(0, 2));
        var (second, third) = (Uniform(0, 0.4), Uniform(0, 0.2));
        var phase = Uniform(0, 2 * Math.PI);
        var samples = new float[SamplesIn(seconds)];
        for (var i = 0; i < samples.Length; i++)
        {
            phase += 2 * Math.PI * middle * Math.Pow(2, octavesAt((double)i / sampleRate)) / sampleRate;
            samples[i] = (float)(Math.Sin(phase) + (second * Math.Sin(2 * phase)) + (third * Math.Sin(3 * phase)));
        }
        return Faded(samples);
    }

    private float[] Rattle(double seconds, double knocksPerSecond)
    {
        var samples = new float[SamplesIn(seconds)];
        var hertz = Uniform(1800, 5000);
        for (var at = 0.0; at < seconds - 0.03; at += Uniform(0.9, 1.1) / knocksPerSecond)
        {
            var knock = Decayed(Band(SamplesIn(0.03), hertz));
            for (var i = 0; i < knock.Length && SamplesIn(at) + i < samples.Length; i++)
                samples[SamplesIn(at) + i] += knock[i];
        }
        return samples;
    }

    private float[] Hiss(double seconds) => Faded(Band(SamplesIn(seconds), Uniform(1500, 6000)));

    /// <summary>Noise around a frequency: white noise through a resonator.</summary>
    private float[] Band(int length, double hertz)
    {
        const double Radius = 0.9;
        var turn = 2 * Radius * Math.Cos(2 * Math.PI * hertz / sampleRate);
        var samples = new float[length];
        for (var i = 0; i < length; i++)
        {
            var before = i > 0 ? turn * samples[i - 1] : 0;
            samples[i] = (float)(Uniform(-1, 1) + before - (i > 1 ? Radius * Radius * samples[i - 2] : 0));
        }
        return samples;
    }

    private float[] Decayed(float[] samples)
    {
        for (var i = 0; i < samples.Length; i++)
            samples[i] *= 2 * MathF.Exp(-i / (0.007f * sampleRate));
        return samples;
    }

    private float[] Faded(float[] samples)
    {
        var edge = SamplesIn(0.015);
        for (var i = 0; i < samples.Length; i++)
            samples[i] *= MathF.Min(1, MathF.Min(i, samples.Length - 1 - i) / (float)edge);
        return samples;
    }
}
