using System.Globalization;

/// <summary>
/// Recordings that nobody made, for running without a file: rooms with noise, hum and echoes in which none, some or all of the six kinds of
/// <see cref="SyntheticSounds"/> are heard now and then, near or far. They are written as a folder of WAV files and lists of files and
/// events, in the form that <see cref="RecordedEvents"/> reads.
/// </summary>
internal static class SyntheticScenes
{
    private const int SampleRate = 16_000;

    /// <summary>Writes a part: so many recordings. Equal seeds write equal files.</summary>
    /// <param name="folder">The folder; lists go there, recordings into its folder "recordings".</param>
    /// <param name="part">The beginning of the names: "train" or "test".</param>
    /// <param name="count">How many recordings.</param>
    /// <param name="seconds">How long each is.</param>
    /// <param name="seed">Any number.</param>
    public static void Write(string folder, string part, int count, double seconds, int seed)
    {
        Directory.CreateDirectory(Path.Combine(folder, "recordings"));
        var random = new Random(seed);
        List<string> files = ["file\tsamples\tseconds"];
        List<string> events = ["file\tonset\toffset\tlabel"];
        for (var i = 0; i < count; i++)
        {
            var file = $"recordings/{part}-{i:D3}.wav";
            var samples = Scene(new float[(int)(seconds * SampleRate)], new SyntheticSounds(SampleRate, random), random, i % (SyntheticSounds.Labels.Length + 1), (from, to, label) =>
                events.Add(string.Create(CultureInfo.InvariantCulture, $"{file}\t{(double)from / SampleRate:F4}\t{(double)to / SampleRate:F4}\t{label}")));
            WaveFile.Write(Path.Combine(folder, file), samples, SampleRate);
            files.Add(string.Create(CultureInfo.InvariantCulture, $"{file}\t{samples.Length}\t{seconds:F3}"));
        }
        File.WriteAllLines(Path.Combine(folder, $"{part}_files.tsv"), files);
        File.WriteAllLines(Path.Combine(folder, $"{part}_events.tsv"), events);
    }

    /// <summary>Fills a recording with sounds of so many kinds.</summary>
    private static float[] Scene(float[] scene, SyntheticSounds sounds, Random random, int kinds, Action<int, int, string> mark)
    {
        var labels = SyntheticSounds.Labels.ToArray();
        random.Shuffle(labels);
        for (var at = Pause(); at < scene.Length; at += Pause())
        {
            var isKnock = kinds == 0 || random.Next(6) == 0;
            var label = labels[random.Next(Math.Max(1, kinds))];
            var sound = isKnock ? sounds.Knock() : sounds.Of(label);
            if (at + sound.Length > scene.Length)
                break;
            Add(scene, at, sound, Loudness(random));
            if (!isKnock)
                mark(at, at + sound.Length, label);
            at += sound.Length;
        }
        Echo(scene, random);
        AddRoom(scene, sounds, random);
        return scene;

        int Pause() => (int)(sounds.Uniform(0.06, 0.5) * SampleRate);
    }

    /// <summary>From just above the noise to far above it.</summary>
    private static float Loudness(Random random) => 0.02f * MathF.Pow(10, random.NextSingle());

    private static void Add(float[] scene, int at, float[] sound, float loudness)
    {
        for (var i = 0; i < sound.Length; i++)
            scene[at + i] += loudness * sound[i];
    }

    /// <summary>Sixty echoes within a quarter of a second, which fade.</summary>
    private static void Echo(float[] scene, Random random)
    {
        var dry = scene.ToArray();
        var strength = 0.25f * random.NextSingle();
        for (var echo = 0; echo < 60; echo++)
        {
            var delay = random.Next(SampleRate / 100, SampleRate / 4);
            var gain = strength * MathF.Exp(-delay / (0.06f * SampleRate)) * (random.Next(2) == 0 ? 1 : -1);
            for (var i = delay; i < scene.Length; i++)
                scene[i] += gain * dry[i - delay];
        }
    }

    /// <summary>Noise with more power in the depths, and the hum of the mains.</summary>
    private static void AddRoom(float[] scene, SyntheticSounds sounds, Random random)
    {
        var level = 0.012f * MathF.Pow(2, 2 * random.NextSingle() - 1);
        var hum = 0.02f * random.NextSingle();
        var deep = 0.0;
        for (var i = 0; i < scene.Length; i++)
        {
            deep = (0.98 * deep) + (0.2 * sounds.Uniform(-1, 1));
            scene[i] += (level * (float)(deep + sounds.Uniform(-1, 1))) + (hum * MathF.Sin(MathF.Tau * 100 * i / SampleRate));
        }
    }
}
