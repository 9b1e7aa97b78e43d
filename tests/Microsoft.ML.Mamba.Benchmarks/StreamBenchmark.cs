using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Training;
using TorchSharp;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="BlockMs">Audio per push.</param>
/// <param name="Seconds">Of audio, in all.</param>
/// <param name="TimesRealTime">Seconds of audio per second of work, frames and labels, one thread.</param>
/// <param name="PushUs">Median time of a push.</param>
/// <param name="PushUs99">What 99 of 100 pushes stay below.</param>
/// <param name="FramesUs">Of the median push, the part that makes log-mel frames, in a run of its own.</param>
/// <param name="BoundUs">What a push would take that did nothing but read each weight once and multiply.</param>
/// <param name="Ratio">Median time of the tagger's part, PushUs - FramesUs, divided by the bound.</param>
/// <param name="AllocatedPerPush">Managed bytes of a push, mean of the second minute.</param>
/// <param name="AllocatedPerPushAtEnd">The same of the last minute.</param>
/// <param name="AllocatedPerSecond">Managed bytes per second of audio, second minute.</param>
/// <param name="HeapMb">10^6 managed bytes that live after the first minute.</param>
/// <param name="HeapMbAtEnd">And at the end.</param>
/// <param name="ResidentMb">10^6 bytes of resident memory after the first minute, runtime and libtorch included.</param>
/// <param name="ResidentMbAtEnd">And at the end.</param>
internal sealed record StreamRow(
    int BlockMs, double Seconds, double TimesRealTime, double PushUs, double PushUs99, double FramesUs, double BoundUs, double Ratio, double AllocatedPerPush, double AllocatedPerPushAtEnd,
    double AllocatedPerSecond, double HeapMb, double HeapMbAtEnd, double ResidentMb, double ResidentMbAtEnd);

/// <summary>Sound at 16 kHz that is labelled while it comes in, 10 ms per frame, by a tagger of DModel 128 and 4 layers; each block size in a process of its own.</summary>
internal static class StreamBenchmark
{
    private const int SampleRate = 16_000, Labels = 10, Minute = 60;

    public static IEnumerable<System.CommandLine.Command> Commands()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> minutes = new("--minutes") { Description = "Minutes of audio, three or more.", DefaultValueFactory = _ => 60 };
        Option<int[]> blocks = new("--block") { Description = "Milliseconds per push.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [10, 20, 100] };
        minutes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 3)
                result.AddError("--minutes is below 3: memory is compared between the first minute and the last.");
        });
        System.CommandLine.Command command = new("stream", "Live labels of sound at 16 kHz (DModel 128, 4 layers, frames of 10 ms), one thread, against real time.") { minutes, blocks, json };
        command.SetAction(arguments => Report.Write([.. arguments.GetValue(blocks)!.Select(block => MeasureInProcess(block, arguments.GetValue(minutes)))], arguments.GetValue(json)));
        yield return command;

        Argument<int> blockOfOne = new("BLOCK");
        Argument<int> minutesOfOne = new("MINUTES");
        System.CommandLine.Command one = new("stream-of-one", "What a process of the stream benchmark does.") { blockOfOne, minutesOfOne };
        one.Hidden = true;
        one.SetAction(arguments => MeasureHere(arguments.GetValue(blockOfOne), arguments.GetValue(minutesOfOne)));
        yield return one;
    }

    private static StreamRow MeasureInProcess(int block, int minutes)
    {
        double[] n = OwnProcess.Numbers("stream-of-one", block.ToString(CultureInfo.InvariantCulture), minutes.ToString(CultureInfo.InvariantCulture));
        Console.WriteLine($"blocks of {block} ms: done");
        double audio = (double)minutes * Minute, bound = n[4] * 1e6;
        return new StreamRow(
            block, audio, audio / n[0], n[1] * 1e6, n[2] * 1e6, n[3] * 1e6, bound, (n[1] - n[3]) * 1e6 / bound, n[5], n[6], n[5] * 1000 / block, n[7] / 1e6, n[8] / 1e6, n[9] / 1e6, n[10] / 1e6);
    }

    private static void MeasureHere(int blockMs, int minutes)
    {
        MambaEnvironment.LoadLibTorch();
        torch.set_num_threads(1);
        float[] sound = Sound();
        var (listener, tagger) = Models(sound);
        int block = SampleRate * blockMs / 1000;
        double bound = Bound(blockMs / 10);
        double framesAlone = FramesAlone(listener, sound, block);

        // Room for what is measured is there from the start, so that it does not look like growth.
        var pushes = new long[minutes * Minute * 1000 / blockMs];
        int perMinute = Minute * 1000 / blockMs;
        MambaFrameStream frames = listener.CreateStream();
        using MambaTagStream live = tagger.CreateStream();
        (long Heap, long Resident, long Allocated) first = default, second = default, beforeLast = default;
        int labelled = 0;
        for (int push = 0, at = 0; push < pushes.Length; push++, at = at + block == sound.Length ? 0 : at + block)
        {
            long start = Stopwatch.GetTimestamp();
            labelled += live.Push(frames.Push(sound.AsSpan(at, block)));
            pushes[push] = Stopwatch.GetTimestamp() - start;
            if (push + 1 == perMinute)
                first = Memory();
            if (push + 1 == 2 * perMinute)
                second = Memory();
            if (push + 1 == pushes.Length - perMinute)
                beforeLast = Memory();
        }

        (long Heap, long Resident, long Allocated) last = Memory();
        if (labelled < (pushes.Length * (blockMs / 10)) - 2)
            throw new InvalidOperationException($"{labelled} frames were labelled of {pushes.Length} pushes.");
        double seconds = pushes.Sum() / (double)Stopwatch.Frequency;
        Array.Sort(pushes);
        double median = pushes[pushes.Length / 2] / (double)Stopwatch.Frequency, most = pushes[(int)(pushes.Length * 0.99)] / (double)Stopwatch.Frequency;
        double allocated = (double)(second.Allocated - first.Allocated) / perMinute, allocatedAtEnd = (double)(last.Allocated - beforeLast.Allocated) / perMinute;
        Console.WriteLine(FormattableString.Invariant(
            $"{seconds} {median} {most} {framesAlone} {bound} {allocated} {allocatedAtEnd} {first.Heap} {last.Heap} {first.Resident} {last.Resident}"));
        tagger.Dispose();
    }

    /// <summary>Ten seconds, pushed over and over: whole numbers of every block.</summary>
    private static float[] Sound()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 10 * SampleRate).Select(i => (0.1f * random.NextSingle()) + (0.5f * MathF.Sin(i * 0.05f)))];
    }

    /// <summary>The tagger has its initial weights: a step of next to no length leaves them.</summary>
    private static (LogMelFramesTransformer Listener, MambaTaggingTransformer Tagger) Models(float[] sound)
    {
        var ml = new MLContext(seed: 1);
        SoundRow[] rows = [new() { Samples = sound[..SampleRate], Events = string.Join(';', Enumerable.Range(0, Labels - 1).Select(i => FormattableString.Invariant($"{i / 10.0} {(i + 1) / 10.0} {i}"))) }];
        IDataView view = ml.Data.LoadFromEnumerable(rows);
        LogMelFramesTransformer listener = ml.Transforms.LogMelFrames("Frames", "Samples", SampleRate).Fit(view);
        return (listener, ml.SequenceTagging().Trainers.Mamba(new MambaTaggingTrainer.Options
        {
            LabelColumnName = "Events",
            SequenceColumnName = "Frames",
            Unit = MambaTagUnit.Event,
            Model = Config with { VocabSize = 0, FrameWidth = 0 },
            Training = new MambaTrainingOptions { MaxSteps = 1, LearningRate = 1e-12, ValidationFraction = 0 },
        }).Fit(listener.Transform(view)));
    }

    private static MambaConfig Config => new() { DModel = 128, NLayer = 4, Bidirectional = false, FrameWidth = 40 };

    private static double FramesAlone(LogMelFramesTransformer listener, float[] sound, int block)
    {
        MambaFrameStream frames = listener.CreateStream();
        var pushes = new List<double>();
        for (int pass = 0; pass < 10; pass++)
        {
            for (int at = 0; at < sound.Length; at += block)
                pushes.Add(Interleaved.Seconds(() => frames.Push(sound.AsSpan(at, block))));
        }

        return Interleaved.Median(pushes);
    }

    /// <summary>
    /// Seconds for a push: the weights once from where one thread reads an array of their size, or the products' multiplications at the
    /// rate of one large matrix product, whichever is more.
    /// </summary>
    private static double Bound(int frames)
    {
        using var network = new MambaForSequenceTagging(Config, Labels, window: 2048, dropout: 0, seed: 1);
        long weights = network.parameters().Sum(parameter => parameter.NumberOfElements);
        var bandwidth = new ReadBandwidth(weights * sizeof(float), threads: 1);
        const int Side = 512;
        using torch.Tensor a = torch.randn(Side, Side), b = torch.randn(Side, Side);
        double[] seconds = new Interleaved(31, SecondsPerTurn: 0).MediansOf(
            bandwidth.InOneStream,
            bandwidth.InFourStreams,
            () => Interleaved.Seconds(() => torch.mm(a, b).Dispose()));
        double reading = weights * sizeof(float) * Math.Min(seconds[0], seconds[1]) / bandwidth.Bytes;
        double multiplying = frames * weights * seconds[2] / ((double)Side * Side * Side);
        return Math.Max(reading, multiplying);
    }

    private static (long Heap, long Resident, long Allocated) Memory()
    {
        // A collection makes garbage of its own; what pushes allocate is counted before it.
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        using Process self = Process.GetCurrentProcess();
        return (heap, self.WorkingSet64, allocated);
    }

    private sealed class SoundRow
    {
        public float[] Samples { get; set; } = [];

        public string Events { get; set; } = "";
    }
}
