using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class SequencePredictorTests(SequencePredictorTests.Fitted fitted) : IClassFixture<SequencePredictorTests.Fitted>
{
    private readonly SequencePredictor _model = fitted.Model;
    private readonly SavedModel _saved = SavedModel.Of(fitted.Model);

    [Fact]
    public void A_row_scores_the_same_alone_in_any_batch_and_padded()
    {
        var set = ToyTasks.GcRich(60, seed: 4);
        var together = _model.Predict(ToyTasks.AllOf(set));
        var classes = _model.OutputCount;

        for (var row = 0; row < set.Count; row++)
        {
            var alone = _model.Predict(PaddedBatch.Gather(set, [row]));
            var beside = _model.Predict(PaddedBatch.Gather(set, [(row + 7) % 60, row, (row + 1) % 60]));
            for (var k = 0; k < classes; k++)
            {
                AssertClose(together[(row * classes) + k], alone[k], $"row {row} alone");
                AssertClose(together[(row * classes) + k], beside[classes + k], $"row {row} between two others");
            }
        }
    }

    [Fact]
    public async Task Sixteen_threads_get_what_one_gets()
    {
        var set = ToyTasks.GcRich(64, seed: 6);
        var batches = LengthBucketedBatches.ByLength(set, 4).Select(rows => PaddedBatch.Gather(set, rows)).ToArray();
        var expected = batches.Select(_model.Predict).ToArray();

        var tasks = Enumerable.Range(0, 16).Select(t => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < batches.Length; i++)
                {
                    var batch = (i + t) % batches.Length;
                    Assert.Equal(expected[batch], _model.Predict(batches[batch]));
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();

        await Task.WhenAll(tasks);
    }

    [Fact]
    public void Both_strands_score_the_same_when_averaged()
    {
        var dna = SequenceTokenizer.Dna;
        var set = SequenceSet.OfIds();
        foreach (var text in new[] { "ACGGTCAN", "GATTACA", "C" })
        {
            var ids = dna.Encode(text);
            set.AddIds(ids, 0);
            DnaAugmentation.ReverseComplement(ids, dna);
            set.AddIds(ids, 0);
        }

        var scores = _model.Predict(ToyTasks.AllOf(set));

        for (var pair = 0; pair < 3; pair++)
        {
            for (var k = 0; k < _model.OutputCount; k++)
            {
                AssertClose(scores[(2 * pair * _model.OutputCount) + k], scores[(((2 * pair) + 1) * _model.OutputCount) + k], $"strands of sequence {pair}");
            }
        }
    }

    [Fact]
    public void Probabilities_add_up_to_one_and_empty_sequences_have_some()
    {
        var set = SequenceSet.OfIds();
        set.AddIds([], 0);
        set.AddIds([1, 2], 0);

        var scores = _model.Predict(ToyTasks.AllOf(set));

        Assert.Equal(1, scores[0] + scores[1], 6);
        Assert.Equal(1, scores[2] + scores[3], 6);
        var alone = _model.Predict(PaddedBatch.Gather(set, [0]));
        AssertClose(scores[0], alone[0], "an empty sequence");
    }

    [Fact]
    public void No_rows_have_no_scores()
    {
        Assert.Empty(_model.Predict(PaddedBatch.Gather(SequenceSet.OfIds(), [])));
    }

    [Fact]
    public void Saving_loading_and_saving_again_gives_the_same_bytes_and_scores()
    {
        using var loaded = _saved.Load(SequenceTokenizer.Dna);
        var again = SavedModel.Of(loaded);
        var batch = ToyTasks.AllOf(ToyTasks.GcRich(20, seed: 8));

        Assert.Equal(Encoding.UTF8.GetString(_saved.Config), Encoding.UTF8.GetString(again.Config));
        Assert.Equal(_saved.Weights, again.Weights);
        Assert.Equal(_model.Predict(batch), loaded.Predict(batch));
        Assert.Equivalent(_model.Description.History, loaded.Description.History, strict: true);
    }

    [Fact]
    public async Task Disposing_while_threads_predict_lets_them_end_well_and_turns_later_calls_away()
    {
        var batch = ToyTasks.AllOf(ToyTasks.GcRich(32, seed: 2));
        var expected = _model.Predict(batch);
        var model = _saved.Load(SequenceTokenizer.Dna);
        using var started = new CountdownEvent(4);

        var tasks = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                var first = true;
                while (true)
                {
                    var scores = model.Predict(batch);
                    Assert.Equal(expected, scores);
                    if (first)
                    {
                        started.Signal();
                        first = false;
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        started.Wait();
        model.Dispose();

        foreach (var task in tasks)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
        }
        Assert.Throws<ObjectDisposedException>(() => model.Predict(batch));
        Assert.Throws<ObjectDisposedException>(() => SavedModel.Of(model));
        model.Dispose();
    }

    [Fact]
    public void Rows_of_another_kind_and_unknown_ids_are_refused()
    {
        var frames = SequenceSet.OfFrames(2);
        frames.AddFrames([1, 2], 0);
        Assert.StartsWith(
            "Predict: the batch holds frames of width 2; the model was trained on ids.",
            Assert.Throws<ArgumentException>(() => _model.Predict(ToyTasks.AllOf(frames))).Message,
            StringComparison.Ordinal);

        var ids = SequenceSet.OfIds();
        ids.AddIds([0], 0);
        ids.AddIds([1, 5], 0);
        Assert.Equal(
            "Predict: row 1 has id 5 at position 1; the model knows ids 0 to 4.",
            Assert.Throws<InvalidOperationException>(() => _model.Predict(ToyTasks.AllOf(ids))).Message);
    }

    [Fact]
    public void A_newer_format_is_refused_by_name()
    {
        AssertConfigRefused(
            json => json["formatVersion"] = 7,
            "config.json: the model was written by a newer version (format 7; this version reads up to 1). Update Microsoft.ML.Mamba.");
    }

    public static TheoryData<string, string> Alterations => new()
    {
        { """{"pooling":"Median"}""", "config.json is damaged" },
        { """{"pooling":2}""", "config.json is damaged" },
        { """{"objective":{"name":"ranking"}}""", "objective.name is 'ranking'; known are multiclass, binary, regression, embedding, multilabel and tagging." },
        { """{"objective":{"name":"multiclass","classes":0}}""", "objective.classes is 0; expected at least 1." },
        { """{"objective":{"name":"multiclass","classes":3}}""", "head.weight" },
        { """{"tokenizer":"bytes"}""", "it names the tokenizer 'bytes', but the model comes with 'dna'." },
        { """{"scoring":{"maxLength":-1}}""", "scoring.maxLength is -1; expected 0 or more." },
        { """{"scoring":{"truncation":"Ends"}}""", "config.json is damaged" },
        { """{"architecture":{"dModel":-8}}""", "DModel is -8" },
        { """{"architecture":{"dModel":12}}""", "model.safetensors" },
        { """{"architecture":{"dModel":1000000000}}""", "model.safetensors has" },
        { """{"architecture":{"nLayer":2000000000}}""", "model.safetensors has" },
        { """{"architecture":{"heads":8}}""", "config.json is damaged" },
        { """{"architecture":{"vocabSize":0}}""", "VocabSize and FrameWidth are both 0" },
        { """{"history":null}""", "config.json is damaged" },
        { """{"architecture":null}""", "config.json is damaged" },
    };

    [Theory]
    [MemberData(nameof(Alterations))]
    public void An_altered_config_is_a_MambaCheckpointException(string change, string expected)
    {
        AssertConfigRefused(json => Merge(json, JsonNode.Parse(change)!.AsObject()), expected);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public void A_truncated_config_is_a_MambaCheckpointException(int length)
    {
        Assert.Throws<MambaCheckpointException>(() => (_saved with { Config = _saved.Config[..length] }).Load(SequenceTokenizer.Dna));
    }

    [Fact]
    public void Truncated_or_altered_weights_are_a_MambaCheckpointException()
    {
        foreach (var length in new[] { 0, 7, 8, 100, _saved.Weights.Length / 2, _saved.Weights.Length - 1 })
        {
            Assert.Throws<MambaCheckpointException>(() => (_saved with { Weights = _saved.Weights[..length] }).Load(SequenceTokenizer.Dna));
        }
        var renamed = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(_saved.Weights).Replace("\"head.bias\"", "\"head.bia5\"", StringComparison.Ordinal));
        Assert.Contains("head.bias", Assert.Throws<MambaCheckpointException>(() => (_saved with { Weights = renamed }).Load(SequenceTokenizer.Dna)).Message);
    }

    private void AssertConfigRefused(Action<JsonObject> alter, string expected)
    {
        var json = JsonNode.Parse(_saved.Config)!.AsObject();
        alter(json);
        var altered = _saved with { Config = Encoding.UTF8.GetBytes(json.ToJsonString()) };

        Assert.Contains(expected, Assert.Throws<MambaCheckpointException>(() => altered.Load(SequenceTokenizer.Dna)).Message);
    }

    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (name, value) in change)
        {
            if (value is JsonObject inner && target[name] is JsonObject existing && name != "objective")
            {
                Merge(existing, inner);
            }
            else
            {
                target[name] = value?.DeepClone();
            }
        }
    }

    private static void AssertClose(float expected, float actual, string what)
    {
        Assert.True(Math.Abs(expected - actual) <= 1e-6, $"{what}: {actual}; expected {expected} ± 1e-6");
    }

    /// <summary>A multiclass model that averages both strands, trained once for all tests.</summary>
    public sealed class Fitted : IDisposable
    {
        public Fitted()
        {
            var options = ToyTasks.FastOptions(epochs: 2);
            options.ReverseComplementAveraging = true;
            options.MaxLength = 50;
            options.Truncation = SequenceTruncation.Tail;
            Model = TrainingLoop.Run(ToyTasks.Request(options) with { Objective = TrainingObjective.Multiclass(2) });
        }

        internal SequencePredictor Model { get; }

        public void Dispose() => Model.Dispose();
    }
}
