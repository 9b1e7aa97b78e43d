using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

[Collection(nameof(Alone))] // one test measures the process's memory
public sealed class MambaTagStreamTests
{
    private const float Tolerance = 1e-6f;

    private readonly MLContext _ml = new(seed: 3);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(5000)]
    public void Frames_pushed_in_any_pieces_get_what_the_whole_sequence_gets(int piece)
    {
        var recording = TaggingData.Recordings(1, seed: 4, shortest: 4999, longest: 5000)[0]; // longer than a piece of scoring
        using var model = Causal("Events", MambaTagUnit.Event, _ml.Data.LoadFromEnumerable(TaggingData.Recordings(20)));
        using var stream = model.CreateStream();

        var scores = new List<float>();
        var labels = new List<uint>();
        for (var start = 0; start < recording.Sequence.Length; start += 2 * piece)
        {
            var count = stream.Push(recording.Sequence.AsSpan(start, Math.Min(2 * piece, recording.Sequence.Length - start)));
            Assert.Equal(count, stream.Count);
            scores.AddRange(stream.Scores);
            labels.AddRange(stream.PredictedLabels.ToArray().Select(l => (uint)l + 1));
        }

        var whole = model.Transform(_ml.Data.LoadFromEnumerable([recording]));
        Assert.Equal(whole.GetColumn<float[]>("Score").Single(), scores, (a, b) => Math.Abs(a - b) <= Tolerance);
        Assert.Equal(whole.GetColumn<uint[]>("PredictedLabel").Single(), labels);
        Assert.Equal(4999, stream.Position);
        Assert.Equal(["-", "call"], stream.Labels);
    }

    /// <summary>Pushes of every kind: frame by frame, a few frames in steps, many together, more than a piece of scoring.</summary>
    [Fact]
    public void Ten_minutes_of_frames_get_what_the_whole_sequence_gets_however_they_are_cut()
    {
        const int Frames = 60_000;
        var recording = TaggingData.Recordings(1, seed: 4, shortest: Frames, longest: Frames + 1)[0];
        using var model = Causal("Events", MambaTagUnit.Event, _ml.Data.LoadFromEnumerable(TaggingData.Recordings(20)));
        var whole = model.Transform(_ml.Data.LoadFromEnumerable([recording])).GetColumn<float[]>("Score").Single();
        using var stream = model.CreateStream();
        var random = new Random(1);

        foreach (int[] sizes in (int[][])[[10], [1, 2, 3, 5, 8, 30, 100, 3000]])
        {
            var worst = 0f;
            while (stream.Position < Frames)
            {
                var at = (int)stream.Position;
                var count = Math.Min(sizes[random.Next(sizes.Length)], Frames - at);
                Assert.Equal(count, stream.Push(recording.Sequence.AsSpan(2 * at, 2 * count)));
                for (var i = 0; i < stream.Scores.Length; i++)
                    worst = Math.Max(worst, Math.Abs(stream.Scores[i] - whole[(at * stream.Labels.Count) + i]));
            }

            Assert.InRange(worst, 0, Tolerance);
            Assert.Equal(Frames, stream.Position);
            stream.Reset();
        }
    }

    [Theory]
    [InlineData(MambaTagUnit.Word)]
    [InlineData(MambaTagUnit.Position)]
    public void Text_may_come_letter_by_letter(MambaTagUnit unit)
    {
        const string Text = " Zoë goes\u3000home 𝒜nn ";
        var rows = TaggingData.Sentences(30);
        var data = _ml.Data.LoadFromEnumerable(unit == MambaTagUnit.Word ? rows : [.. rows.Select(r => new TaggingData.TextRow
        {
            Sequence = r.Sequence,
            Words = string.Concat(System.Text.Encoding.UTF8.GetBytes(r.Sequence).Select(b => b == ' ' ? '_' : 'x')),
        })]);
        using var model = Causal("Words", unit, data);
        using var stream = model.CreateStream();

        var scores = new List<float>();
        foreach (var letter in Text)
        {
            stream.Push([letter]);
            scores.AddRange(stream.Scores);
        }

        var whole = model.Transform(_ml.Data.LoadFromEnumerable([new TaggingData.TextRow { Sequence = Text }]));
        Assert.Equal(whole.GetColumn<float[]>("Score").Single(), scores, (a, b) => Math.Abs(a - b) <= Tolerance);
    }

    [Fact]
    public void After_a_reset_another_sequence_begins()
    {
        using var model = Causal("Letters", MambaTagUnit.Position, _ml.Data.LoadFromEnumerable(TaggingData.Dna(30)), SequenceTokenizer.Dna);
        using var stream = model.CreateStream();

        stream.Push("ACGTT");
        var first = stream.Scores.ToArray();
        stream.Push([0, 1, 2]);
        stream.Reset();
        stream.Push([0, 1, 2, 3, 3]);

        Assert.Equal(first, stream.Scores.ToArray(), (a, b) => Math.Abs(a - b) <= Tolerance);
        Assert.Equal(5, stream.Position);
    }

    [Fact]
    public void What_the_model_cannot_read_is_an_error()
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Dna(30));
        using var causal = Causal("Letters", MambaTagUnit.Position, data, SequenceTokenizer.Dna);
        using var bidirectional = TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position).Fit(data);
        using var stream = causal.CreateStream();

        Assert.Contains("Bidirectional = false", Assert.Throws<InvalidOperationException>(() => bidirectional.CreateStream()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => stream.Push([1f, 2f]));
        Assert.Throws<InvalidOperationException>(() => stream.Push([99]));
        Assert.Throws<SequenceTokenizationException>(() => stream.Push("A?"));
        causal.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.Push([1]));
    }

    [Fact]
    public void An_hour_of_frames_takes_no_more_memory_than_a_minute()
    {
        using var model = Causal("Events", MambaTagUnit.Event, _ml.Data.LoadFromEnumerable(TaggingData.Recordings(20)));
        using var stream = model.CreateStream();
        var push = new float[2 * 100]; // a second
        for (var i = 0; i < 60; i++)
            stream.Push(push);

        var perPush = Allocated(() => stream.Push(push));
        var resident = Resident();
        for (var i = 0; i < 3600; i++)
            stream.Push(push);
        var perPushLater = Allocated(() => stream.Push(push));

        Assert.True(perPushLater <= perPush + 1024, $"{perPush:N0} bytes per push at first, {perPushLater:N0} after an hour");
        Assert.True(Resident() - resident < 64 << 20, $"{resident:N0} bytes after a minute, {Resident():N0} after an hour");
    }

    private static long Allocated(Action push)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            push();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 10;
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private MambaTaggingTransformer Causal(string label, MambaTagUnit unit, IDataView data, SequenceTokenizer? tokenizer = null) =>
        TaggingData.Trainer(_ml, label, unit, o => (o.Model, o.Tokenizer) = (new MambaConfig { DModel = 8, NLayer = 2, DState = 4, Bidirectional = false }, tokenizer)).Fit(data);
}
