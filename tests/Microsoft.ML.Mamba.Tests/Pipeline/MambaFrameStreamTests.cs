using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class MambaFrameStreamTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData(8000, 1, true)]
    [InlineData(8000, 333, true)]
    [InlineData(8000, 100_000, true)]
    [InlineData(8001, 80, false)]
    [InlineData(60, 7, true)]
    [InlineData(1, 1, true)]
    [InlineData(0, 1, true)]
    public void Samples_pushed_in_any_pieces_give_the_frames_of_the_whole(int samples, int piece, bool center)
    {
        var random = new Random(1);
        var clip = new Clip { Samples = [.. Enumerable.Range(0, samples).Select(_ => (float)random.NextDouble() - 0.5f)] };
        var model = Model(o => o.Center = center, new Clip { Samples = [.. Enumerable.Range(0, 4000).Select(_ => (float)random.NextDouble())] });
        var stream = model.CreateStream();

        var frames = new List<float>();
        for (var start = 0; start < samples; start += piece)
            frames.AddRange(stream.Push(clip.Samples.AsSpan(start, Math.Min(piece, samples - start))));
        frames.AddRange(stream.Finish());

        Assert.Equal(model.Transform(_ml.Data.LoadFromEnumerable([clip])).GetColumn<float[]>("Frames").Single(), frames, (a, b) => Math.Abs(a - b) <= 1e-5f);
        Assert.Equal(0, stream.Finish().Length);
    }

    [Fact]
    public void What_needs_the_whole_recording_is_refused()
    {
        var clip = new Clip { Samples = new float[1000] };

        Assert.Contains("Deltas is 1", Assert.Throws<InvalidOperationException>(() => Model(o => o.Deltas = 1, clip).CreateStream()).Message, StringComparison.Ordinal);
        Assert.Contains("Normalization is Clip", Assert.Throws<InvalidOperationException>(() => Model(o => o.Normalization = FrameNormalization.Clip, clip).CreateStream()).Message, StringComparison.Ordinal);
    }

    private LogMelFramesTransformer Model(Action<LogMelFramesEstimator.Options> change, Clip clip)
    {
        var options = new LogMelFramesEstimator.Options { OutputColumnName = "Frames", InputColumnName = "Samples", SampleRate = 8000, MelBands = 12 };
        change(options);
        return _ml.Transforms.LogMelFrames(options).Fit(_ml.Data.LoadFromEnumerable([clip]));
    }

    private sealed class Clip
    {
        [VectorType]
        public float[] Samples { get; set; } = [];
    }
}
