using System.CommandLine;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Audio;
using TorchSharp;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="What">What is timed: frames from samples in memory, through the pipeline's cursor, or resampling.</param>
/// <param name="Seconds">Of audio, all clips together.</param>
/// <param name="TimesRealTime">Seconds of audio per second of work, one thread.</param>
internal sealed record LogMelRow(string What, int Clips, int SampleRate, double Seconds, double TimesRealTime);

/// <summary>Samples to log-mel frames (25 ms every 10 ms, 40 bands) on one thread.</summary>
internal static class LogMelBenchmark
{
    private static readonly (int Clips, int SampleRate, double ClipSeconds)[] Cases = [(500, 8_000, 0.44), (20, 16_000, 10), (1, 16_000, 600)];

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        System.CommandLine.Command command = new("log-mel", "Samples to log-mel frames, and 44.1 kHz to 16 kHz, against real time on one thread.") { rounds, json };
        command.SetAction(arguments =>
        {
            MambaEnvironment.LoadLibTorch();
            torch.set_num_threads(1);
            var timing = new Interleaved(arguments.GetValue(rounds));
            Report.Write([.. Cases.SelectMany(c => Measure(c.Clips, c.SampleRate, c.ClipSeconds, timing)), Resampling(timing)], arguments.GetValue(json));
        });
        return command;
    }

    private static IEnumerable<LogMelRow> Measure(int clips, int sampleRate, double clipSeconds, Interleaved timing)
    {
        var ml = new MLContext(seed: 1);
        var random = new Random(1);
        SoundRow[] rows = [.. Enumerable.Range(0, clips).Select(_ => new SoundRow { Samples = [.. Enumerable.Range(0, (int)(clipSeconds * sampleRate)).Select(_ => random.NextSingle() - 0.5f)] })];
        IDataView view = ml.Data.LoadFromEnumerable(rows);
        LogMelFramesTransformer model = ml.Transforms.LogMelFrames("Frames", "Samples", sampleRate).Fit(view);
        var frames = new LogMelFrames(model.Settings, model.Statistics);
        var room = new float[model.Settings.FrameCount(rows[0].Samples.Length) * model.FrameWidth];

        double[] seconds = timing.Medians(
            () => Array.ForEach(rows, row => frames.Compute(row.Samples, room)),
            () => ReadFrames(model.Transform(view)));
        double audio = clips * (double)rows[0].Samples.Length / sampleRate;
        yield return new LogMelRow("frames", clips, sampleRate, audio, audio / seconds[0]);
        yield return new LogMelRow("frames through a cursor", clips, sampleRate, audio, audio / seconds[1]);
    }

    private static void ReadFrames(IDataView view)
    {
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Frames"]]);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(view.Schema["Frames"]);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
            getter(ref value);
    }

    private static LogMelRow Resampling(Interleaved timing)
    {
        const int From = 44_100, To = 16_000, Seconds = 30;
        var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.ASCII, leaveOpen: true))
        {
            var random = new Random(1);
            writer.Write("RIFF\0\0\0\0WAVEfmt "u8);
            writer.Write(16);
            writer.Write((short)1);
            writer.Write((short)1);
            writer.Write(From);
            writer.Write(2 * From);
            writer.Write((short)2);
            writer.Write((short)16);
            writer.Write("data"u8);
            writer.Write(2 * From * Seconds);
            for (int i = 0; i < From * Seconds; i++)
                writer.Write((short)random.Next(-8000, 8000));
        }
        byte[] bytes = file.ToArray();
        var files = new AudioFile();
        float[] room = [];
        double seconds = timing.Medians(() =>
        {
            using WaveReader reader = WaveReader.Open(new MemoryStream(bytes), "made here");
            files.Read(reader, "made here", To, resample: true, count => room = room.Length == count ? room : new float[count]);
        })[0];
        return new LogMelRow($"{From} to {To} Hz", 1, From, Seconds, Seconds / seconds);
    }

    private sealed class SoundRow
    {
        public float[] Samples { get; set; } = [];
    }
}
