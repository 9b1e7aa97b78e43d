using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Kernels;
using TorchSharp;

/// <summary>Listens to a WAV file as if it came from a microphone: 20 ms at a time, and says what it hears as soon as it knows.</summary>
internal sealed class LiveListening : IDisposable
{
    private const int BlocksPerSecond = 50;
    private const double ShortestTold = 0.03;

    private readonly MLContext _ml = new();
    private readonly ITransformer _model;
    private readonly AudioLoadingTransformer _loader;
    private readonly LogMelFramesTransformer _frames;
    private readonly MambaTaggingTransformer _tagger;

    /// <summary>Listens with a model that this sample has saved.</summary>
    /// <exception cref="InvalidDataException">The file is no such model.</exception>
    public LiveListening(string modelPath)
    {
        try
        {
            _model = _ml.Model.Load(modelPath, out _);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new InvalidDataException($"{modelPath} is no saved model: {e.Message}", e);
        }
        _loader = Part<AudioLoadingTransformer>("LoadAudio");
        _frames = Part<LogMelFramesTransformer>("LogMelFrames");
        _tagger = Part<MambaTaggingTransformer>("SequenceTagging().Trainers.Mamba");

        T Part<T>(string name)
            where T : class
        {
            var parts = _model is IEnumerable<ITransformer> chain ? chain.ToArray() : [_model];
            return parts.OfType<T>().SingleOrDefault() ?? throw new InvalidDataException(
                $"{modelPath} has no {name}; expected a model that this sample has saved, found one of {string.Join(", ", parts.Select(p => p.GetType().Name))}.");
        }
    }

    /// <summary>Listens, and tells on the console what it heard, how fast that was on one core and whether it is what the whole file gives.</summary>
    /// <param name="path">The WAV file.</param>
    /// <param name="paced">Whether to wait for the time to pass that a microphone would take.</param>
    /// <param name="cancellation">Stops it.</param>
    public void Run(string path, bool paced, CancellationToken cancellation)
    {
        var file = _ml.Data.LoadFromEnumerable([new Recording { Path = path }]);
        var samples = _loader.Transform(file).GetColumn<float[]>("Samples").Single();
        var block = _loader.SampleRate / BlocksPerSecond;
        var stream = _frames.CreateStream();
        using var labels = _tagger.CreateStream();
        var background = _tagger.BackgroundLabel ?? throw new InvalidDataException("The model labels no events; expected one that this sample has saved.");
        var track = new LabelTrack(labels.Labels, background, _tagger.FirstFrame, _tagger.FrameHop);
        var all = new List<int>();
        List<double> lags = [], times = [];
        var blips = 0;
        // Blocks are small: a second core would mostly wait.
        KernelThreads.Count = 1;
        torch.set_num_threads(1);
        var clock = Stopwatch.StartNew();
        for (var at = 0; at < samples.Length; at += block)
        {
            cancellation.ThrowIfCancellationRequested();
            var next = samples.AsSpan(at, Math.Min(block, samples.Length - at));
            var heard = (double)(at + next.Length) / _loader.SampleRate;
            if (paced && TimeSpan.FromSeconds(heard) - clock.Elapsed is { Ticks: > 0 } wait)
                cancellation.WaitHandle.WaitOne(wait);
            var start = Stopwatch.GetTimestamp();
            labels.Push(stream.Push(next));
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            Take(heard);
        }
        labels.Push(stream.Finish());
        Take(null);
        if (track.End() is { } last)
            Tell(last);
        if (blips > 0)
            Console.WriteLine(FormattableString.Invariant($"and {blips} blips of less than {1000 * ShortestTold:F0} ms"));
        Summarise(samples.Length, times, lags);
        Compare(file, all);

        void Take(double? heard)
        {
            foreach (var label in labels.PredictedLabels)
            {
                if (heard is { } time && track.Now >= 0)
                    lags.Add(time - track.Now);
                if (track.Add(label) is { } ended)
                    Tell(ended);
                all.Add(label);
            }
        }

        void Tell(SoundEvent heard)
        {
            if (heard.Offset - heard.Onset < ShortestTold - 1e-6)
                blips++;
            else
                Console.WriteLine(FormattableString.Invariant($"  {heard.Onset,7:F2} – {heard.Offset,6:F2} s  {heard.Label}"));
        }
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => (_model as IDisposable)?.Dispose();

    private void Summarise(int samples, List<double> times, List<double> lags)
    {
        var seconds = (double)samples / _loader.SampleRate;
        Console.WriteLine(FormattableString.Invariant($"{seconds:F1} s of sound in {times.Sum():F2} s: {seconds / times.Sum():F0} times faster than real time"));
        if (lags.Count > 0)
            Console.WriteLine(FormattableString.Invariant(
                $"from sound to label {1000 * lags.Average():F0} ms, at most {1000 * lags.Max():F0} ms, and {1000 * times.Average():F1} ms of computing per block of {1000 / BlocksPerSecond} ms, at most {1000 * times.Max():F0} ms"));
    }

    private void Compare(IDataView file, List<int> live)
    {
        var whole = _model.Transform(file).GetColumn<uint[]>("PredictedLabel").Single();
        var equal = whole.Zip(live).Count(pair => pair.First == pair.Second + 1);
        Console.WriteLine(FormattableString.Invariant($"{equal:N0} of {whole.Length:N0} labels are those of the whole file"));
    }
}
