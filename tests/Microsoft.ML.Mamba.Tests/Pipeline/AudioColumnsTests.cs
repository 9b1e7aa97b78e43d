using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Tests.Audio;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>LoadAudio and LogMelFrames as estimators and transformers of ML.NET.</summary>
public sealed class AudioColumnsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-audio-").FullName;
    private readonly MLContext _ml = new(seed: 1);
    private readonly List<string> _warnings = [];

    public AudioColumnsTests() => _ml.Log += (_, e) =>
    {
        if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            _warnings.Add(e.RawMessage);
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(16_000)]
    public void LoadAudio_does_what_ML_NET_tests_of_every_estimator(int sampleRate)
    {
        var valid = Clips(8000, 5);
        var wrongType = _ml.Transforms.Conversion.Hash("Path").Fit(valid).Transform(valid);

        new EstimatorContract(_ml, _ml.Transforms.LoadAudio("Samples", "Path", _folder, sampleRate)).Check(valid, null, wrongType, null);
    }

    [Theory]
    [InlineData(FrameNormalization.Dataset, 0)]
    [InlineData(FrameNormalization.None, 2)]
    public void LogMelFrames_does_so_too(FrameNormalization normalization, int deltas)
    {
        IDataView Samples(int rate) => _ml.Transforms.LoadAudio("Samples", "Path", _folder, rate).Fit(Clips(8000, 5)).Transform(Clips(8000, 5));
        var valid = Samples(8000);
        var wrongType = _ml.Transforms.LoadAudio("Audio", "Path", _folder).Append(_ml.Transforms.CopyColumns("Samples", "Path")).Fit(Clips(8000, 5)).Transform(Clips(8000, 5));
        var estimator = _ml.Transforms.LogMelFrames(new LogMelFramesEstimator.Options { OutputColumnName = "Frames", InputColumnName = "Samples", Normalization = normalization, Deltas = deltas });

        new EstimatorContract(_ml, estimator).Check(valid, null, wrongType, fitOnly: Samples(16_000));
    }

    [Fact]
    public void Paths_become_samples_become_frames_with_their_times()
    {
        var data = Clips(8000, 3);
        var pipeline = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Append(_ml.Transforms.LogMelFrames("Frames", "Samples", melBands: 20));

        var frames = pipeline.Fit(data).Transform(data);

        var column = frames.Schema["Frames"];
        Assert.Equal("0 20", string.Join(' ', ((VectorDataViewType)column.Type).Dimensions));
        double hop = 0, first = -1;
        column.Annotations.GetValue(AudioAnnotations.HopSeconds, ref hop);
        column.Annotations.GetValue(AudioAnnotations.FirstFrameSeconds, ref first);
        Assert.Equal((0.01, 0.0), (hop, first));
        var rate = 0;
        frames.Schema["Samples"].Annotations.GetValue(AudioAnnotations.SampleRate, ref rate);
        Assert.Equal(8000, rate);
        Assert.Equal([100, 200, 300], frames.GetColumn<float[]>("Samples").Select(s => s.Length));
        Assert.Equal([2 * 20, 3 * 20, 4 * 20], frames.GetColumn<float[]>("Frames").Select(s => s.Length));
    }

    [Fact]
    public void Dataset_normalisation_brings_each_band_of_the_fitted_rows_to_mean_0_and_deviation_1()
    {
        var data = Clips(8000, 20);
        var frames = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Append(_ml.Transforms.LogMelFrames("Frames", "Samples", melBands: 8)).Fit(data).Transform(data);

        var all = frames.GetColumn<float[]>("Frames").SelectMany(f => f.Chunk(8)).ToArray();

        for (var i = 0; i < 8; i++)
        {
            Assert.InRange(all.Average(f => (double)f[i]), -1e-3, 1e-3);
            Assert.InRange(all.Average(f => (double)f[i] * f[i]), 0.99, 1.01);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_read_ends_the_pass_with_its_path()
    {
        var data = Clips(8000, 2, broken: 1);
        var samples = _ml.Transforms.LoadAudio("Samples", "Path", _folder, 8000).Fit(data).Transform(data);

        var error = Assert.Throws<MambaAudioException>(() => samples.GetColumn<float[]>("Samples").ToArray());

        Assert.EndsWith("broken0.wav", error.Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8000)]
    [InlineData(0)]
    public void Or_its_row_is_missing_and_one_warning_counts_them(int sampleRate)
    {
        var data = Clips(8000, 2, broken: 3);
        var options = new AudioLoadingEstimator.Options { InputColumnName = "Path", AudioFolder = _folder, SampleRate = sampleRate, Unreadable = UnreadableAudio.Missing };
        var samples = _ml.Transforms.LoadAudio(options).Fit(data).Transform(data);

        Assert.Equal([0, 0, 0, 100, 200], samples.GetColumn<float[]>("Samples").Select(s => s.Length));

        var warning = Assert.Single(_warnings);
        Assert.Contains("3 audio files could not be read; their samples in 'Samples' are missing. The first: '", warning, StringComparison.Ordinal);
        Assert.Contains("broken0.wav': the file begins with", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void With_sample_rate_0_files_of_another_rate_than_the_first_are_an_error()
    {
        var data = Clips(8000, 1);
        var loader = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Fit(data);
        Assert.Equal(8000, loader.SampleRate);
        File.WriteAllBytes(Path.Combine(_folder, "clip0.wav"), WaveBytes.Pcm16(11_025, 1, 2, 3));

        var error = Assert.Throws<MambaAudioException>(() => loader.Transform(data).GetColumn<float[]>("Samples").ToArray());

        Assert.Contains("the file has 11025 Hz; expected 8000 Hz", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_sample_rate_0_there_must_be_a_file()
    {
        var data = _ml.Data.LoadFromEnumerable(new[] { new Clip { Path = " " } });

        var error = Assert.Throws<InvalidOperationException>(() => _ml.Transforms.LoadAudio("Samples", "Path").Fit(data));

        Assert.Contains("Set SampleRate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_paths_have_no_samples_and_no_frames()
    {
        var data = _ml.Data.LoadFromEnumerable(new[] { new Clip { Path = "" } });
        var frames = _ml.Transforms.LoadAudio("Samples", "Path", sampleRate: 8000).Append(_ml.Transforms.LogMelFrames("Frames", "Samples")).Fit(data).Transform(data);

        Assert.Empty(Assert.Single(frames.GetColumn<float[]>("Frames")));
        Assert.Contains(_warnings, w => w.Contains("no frame in 'Samples' to learn a scale from", StringComparison.Ordinal));
    }

    [Fact]
    public void A_rate_that_is_not_known_or_another_one_is_named_at_once()
    {
        var samples = _ml.Data.LoadFromEnumerable(new[] { new Sound { Samples = new float[1000] } });
        var unknown = _ml.Transforms.LogMelFrames("Frames", "Samples");
        Assert.Contains("does not tell its sample rate", EstimatorContract.MustFail(() => unknown.Fit(samples)).Message, StringComparison.Ordinal);
        EstimatorContract.MustFail(() => unknown.GetOutputSchema(EstimatorContract.ShapeOf(samples.Schema)));
        var known = _ml.Transforms.LogMelFrames("Frames", "Samples", sampleRate: 8000).Fit(samples).Transform(samples);
        Assert.Equal(13 * 40, Assert.Single(known.GetColumn<float[]>("Frames")).Length);

        var loaded = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Fit(Clips(8000, 1)).Transform(Clips(8000, 1));
        var error = EstimatorContract.MustFail(() => _ml.Transforms.LogMelFrames("Frames", "Samples", sampleRate: 16_000).Fit(loaded));
        Assert.Contains("has 8000 Hz; expected 16000 Hz", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_listed_all_at_once()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.LogMelFrames(new LogMelFramesEstimator.Options
        {
            OutputColumnName = " ", SampleRate = 8000, WindowLength = 600, FftSize = 512, HopLength = -1, MelBands = 0, LowestFrequency = 5000, Power = 0, Floor = -1, Deltas = 3,
        }));

        foreach (var name in new[] { "OutputColumnName is", "WindowLength is 600", "HopLength is -1", "MelBands is 0", "LowestFrequency is 5000", "Power is 0", "Floor is -1", "Deltas is 3" })
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.LoadAudio("Samples", sampleRate: 5));
    }

    [Fact]
    public void A_prediction_engine_gives_what_a_transform_gives()
    {
        var data = Clips(8000, 3);
        var model = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Append(_ml.Transforms.LogMelFrames("Frames", "Samples")).Fit(data);
        var expected = model.Transform(data).GetColumn<float[]>("Frames").ToArray();
        using var engine = _ml.Model.CreatePredictionEngine<Clip, Frames>(model);

        for (var i = 0; i < 3; i++)
            Assert.Equal(expected[i], engine.Predict(new Clip { Path = $"clip{i}.wav" }).Values);
    }

    [Fact]
    public void No_file_is_opened_unless_samples_are_asked_for()
    {
        var data = Clips(8000, 2, broken: 1);
        var samples = _ml.Transforms.LoadAudio("Samples", "Path", _folder, 8000).Fit(data).Transform(data);

        Assert.Equal(3, samples.GetColumn<string>("Path").Count());
    }

    [Fact]
    public void Cursors_of_a_set_have_all_rows_once()
    {
        var data = Clips(8000, 30);
        var samples = _ml.Transforms.LoadAudio("Samples", "Path", _folder).Fit(data).Transform(data);
        var expected = samples.GetColumn<float[]>("Samples").Select(s => s.Length).ToArray();

        var cursors = samples.GetRowCursorSet([samples.Schema["Samples"]], 4);
        var rows = new List<(long Batch, int Length)>();
        foreach (var cursor in cursors)
        {
            using (cursor)
            {
                var getter = cursor.GetGetter<VBuffer<float>>(samples.Schema["Samples"]);
                VBuffer<float> value = default;
                while (cursor.MoveNext())
                {
                    getter(ref value);
                    rows.Add((cursor.Batch, value.Length));
                }
            }
        }

        Assert.Equal(expected, rows.OrderBy(r => r.Batch).Select(r => r.Length));
    }

    [Fact]
    public void Saving_a_loaded_model_writes_the_same()
    {
        var data = Clips(8000, 1);
        using var stream = new MemoryStream();
        _ml.Model.Save(_ml.Transforms.LoadAudio("Samples", "Path", _folder).Append(_ml.Transforms.LogMelFrames("Frames", "Samples")).Fit(data), data.Schema, stream);
        Assert.NotEqual(0, stream.Length);
        stream.Position = 0;
        var loaded = _ml.Model.Load(stream, out _);

        using var again = new MemoryStream();
        _ml.Model.Save(loaded, data.Schema, again);
        Assert.Equal(stream.Length, again.Length);
    }

    // clip0.wav has 100 samples, clip1.wav 200, …; broken files come first.
    private IDataView Clips(int rate, int count, int broken = 0)
    {
        var random = new Random(rate + count);
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(_folder, $"clip{i}.wav"), WaveBytes.Pcm16(rate, [.. Enumerable.Range(0, 100 * (i + 1)).Select(_ => (short)random.Next(-20000, 20000))]));
        for (var i = 0; i < broken; i++)
            File.WriteAllText(Path.Combine(_folder, $"broken{i}.wav"), "this is no audio file");
        return _ml.Data.LoadFromEnumerable(Enumerable.Range(0, broken).Select(i => new Clip { Path = $"broken{i}.wav" })
            .Concat(Enumerable.Range(0, count).Select(i => new Clip { Path = $"clip{i}.wav" })).ToArray());
    }

    private sealed class Clip
    {
        public string Path { get; set; } = "";
    }

    private sealed class Sound
    {
        public float[] Samples { get; set; } = [];
    }

    private sealed class Frames
    {
        [ColumnName("Frames")]
        public float[] Values { get; set; } = [];
    }
}
