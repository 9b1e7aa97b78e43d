using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Peak memory of reading what is large, each in a process of its own.</summary>
public sealed class LargeFilesTests : IDisposable
{
    private const int SampleRate = 8000;

    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-large-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A chromosome of 100 million letters is never in memory, neither as bytes nor as text, which would take 200 MB.</summary>
    [SkippableFact]
    public async Task Windows_of_100_MB_of_FASTA_take_little_memory()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "peak memory is read from /proc");
        const int Lines = 1_666_667, LettersPerLine = 60;
        WriteFasta("small.fa", 100);
        var large = WriteFasta("large.fa", Lines);
        Assert.True(new FileInfo(large).Length > 100_000_000);

        var outcome = await FreshProcess.Run(ReadFasta, PeakMemory.SmallYoungGeneration, Path.Combine(_folder, "small.fa"), large);

        var fields = outcome.Success().Split(' ').Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal((long)Lines * LettersPerLine, fields[0]);
        Assert.True(fields[1] < 40_000_000, $"reading took {fields[1]:N0} bytes at its peak");
    }

    /// <summary>Beside the samples and the frames, as floats, there are spectra of 512 KiB at a time, and what the collector has not taken yet.</summary>
    [SkippableFact]
    public async Task Frames_of_an_hour_of_sound_take_little_more_memory_than_the_samples_and_the_frames()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "peak memory is read from /proc");
        WriteSound("short.wav", seconds: 2);
        WriteSound("hour.wav", seconds: 3600);

        var outcome = await FreshProcess.Run(ReadSound, PeakMemory.SmallYoungGeneration, _folder);

        var fields = outcome.Success().Split(' ').Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        var (values, peak) = (fields[0], fields[1]);
        Assert.Equal((3600 * 50 + 1) * 20, values);
        var needed = sizeof(float) * ((3600L * SampleRate) + values);
        Assert.True(peak <= needed + 25_000_000, $"samples and frames take {needed:N0} bytes; the peak was {peak:N0}");
    }

    private static void ReadFasta(string small, string large)
    {
        var ml = new MLContext(seed: 1);
        Letters(ml, small); // code is loaded before the count begins
        var before = PeakMemory.Bytes();
        Console.WriteLine($"{Letters(ml, large)} {PeakMemory.Bytes() - before}");
    }

    private static long Letters(MLContext ml, string path)
    {
        var view = ml.Data.LoadFromFasta(path, new FastaOptions { WindowLength = 10_000 });
        using var cursor = view.GetRowCursor(view.Schema);
        var sequence = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Sequence"]);
        ReadOnlyMemory<char> value = default;
        long letters = 0;
        while (cursor.MoveNext())
        {
            sequence(ref value);
            letters += value.Length;
        }
        return letters;
    }

    private static void ReadSound(string folder)
    {
        var ml = new MLContext(seed: 1);
        var model = ml.Transforms.LoadAudio("Samples", "Path", folder, SampleRate)
            .Append(ml.Transforms.LogMelFrames(new LogMelFramesEstimator.Options
            {
                OutputColumnName = "Frames", InputColumnName = "Samples", HopMilliseconds = 20, MelBands = 20, Normalization = FrameNormalization.None,
            }))
            .Fit(View(ml, "short.wav"));
        Values(model.Transform(View(ml, "short.wav"))); // code and libtorch are loaded before the count begins
        var before = PeakMemory.Bytes();
        Console.WriteLine($"{Values(model.Transform(View(ml, "hour.wav")))} {PeakMemory.Bytes() - before}");
    }

    private static IDataView View(MLContext ml, string file) => ml.Data.LoadFromEnumerable([new Clip { Path = file }]);

    private static int Values(IDataView frames)
    {
        using var cursor = frames.GetRowCursor([frames.Schema["Frames"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(frames.Schema["Frames"]);
        VBuffer<float> value = default;
        Assert.True(cursor.MoveNext());
        getter(ref value);
        return value.Length;
    }

    private string WriteFasta(string name, int lines)
    {
        var path = Path.Combine(_folder, name);
        using var file = File.Create(path);
        file.Write(">chromosome\n"u8);
        var line = "ACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCANNNN\n"u8;
        for (var i = 0; i < lines; i++)
            file.Write(line);
        return path;
    }

    /// <summary>A WAV file of 8 bits per sample.</summary>
    private void WriteSound(string name, int seconds)
    {
        using var file = File.Create(Path.Combine(_folder, name));
        using var writer = new BinaryWriter(file);
        writer.Write("RIFF\0\0\0\0WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(SampleRate);
        writer.Write(SampleRate);
        writer.Write((short)1);
        writer.Write((short)8);
        writer.Write("data"u8);
        writer.Write(seconds * SampleRate);
        var second = new byte[SampleRate];
        new Random(1).NextBytes(second);
        for (var i = 0; i < seconds; i++)
            writer.Write(second);
    }

    private sealed class Clip
    {
        public string Path { get; set; } = "";
    }
}
