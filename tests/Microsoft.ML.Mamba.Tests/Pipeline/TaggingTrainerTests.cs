using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class TaggingTrainerTests
{
    private readonly MLContext _ml = new(seed: 3);

    [Theory]
    [InlineData("Letters", MambaTagUnit.Position)]
    [InlineData("Keys", MambaTagUnit.Position)]
    public void It_does_what_ML_NET_tests_of_every_estimator(string label, MambaTagUnit unit)
    {
        var valid = TaggingData.WithKeys(_ml, _ml.Data.LoadFromEnumerable(TaggingData.Dna(40)));
        Check(valid, EstimatorContractTests.FramesWithWidth(_ml, valid), label, unit);
    }

    [Theory]
    [InlineData("Words")]
    [InlineData("Keys")]
    public void For_words_too(string label)
    {
        var valid = TaggingData.WithKeys(_ml, _ml.Data.LoadFromEnumerable(TaggingData.Sentences(40)));
        Check(valid, null, label, MambaTagUnit.Word);
    }

    [Fact]
    public void For_events_too()
    {
        var valid = _ml.Data.LoadFromEnumerable(TaggingData.Recordings(40));
        Check(valid, null, "Events", MambaTagUnit.Event);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_learns_a_label_for_each_position(bool bidirectional)
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Dna(200));
        var test = _ml.Data.LoadFromEnumerable(TaggingData.Dna(50, seed: 2));
        using var model = TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o =>
        {
            o.Model = o.Model with { Bidirectional = bidirectional };
            o.Tokenizer = SequenceTokenizer.Dna;
            o.Training = new MambaTrainingOptions { Epochs = 5, BatchSize = 16, LearningRate = 1e-2, MaxLength = 16 };
        }).Fit(data);

        var metrics = _ml.SequenceTagging().Evaluate(model.Transform(test), "Letters");

        Assert.True(metrics.Accuracy > 0.99, metrics.ToString());
        Assert.Equal([".", "g"], metrics.Classes.Select(c => c.Name));
        Assert.Equal("accuracy", model.History.Epochs[^1].MetricName);
    }

    [Fact]
    public void It_learns_a_label_for_each_word_and_gives_one_per_word()
    {
        var rows = TaggingData.Sentences(300);
        using var model = TaggingData.Trainer(_ml, "Words", MambaTagUnit.Word, o =>
        {
            o.Training = new MambaTrainingOptions { Epochs = 8, BatchSize = 16, LearningRate = 1e-2, ClassWeighting = MambaClassWeighting.Balanced };
            o.ValidationMetric = MambaTaggingMetric.MacroF1;
        }).Fit(_ml.Data.LoadFromEnumerable(rows));
        var test = TaggingData.Sentences(40, seed: 2);

        var scored = model.Transform(_ml.Data.LoadFromEnumerable(test));
        var predicted = scored.GetColumn<VBuffer<uint>>("PredictedLabel").ToArray();

        Assert.Equal(test.Select(r => r.Names.Length), predicted.Select(p => p.Length));
        Assert.True(_ml.SequenceTagging().Evaluate(scored, "Words").Accuracy > 0.99);
        Assert.Equal("macro F1", model.History.Epochs[^1].MetricName);
    }

    [Fact]
    public void It_learns_events_and_frames_are_labelled_at_their_middle()
    {
        using var model = TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, o =>
            o.Training = new MambaTrainingOptions { Epochs = 12, BatchSize = 16, LearningRate = 1e-2 }).Fit(_ml.Data.LoadFromEnumerable(TaggingData.Recordings(200)));

        var metrics = _ml.SequenceTagging().Evaluate(model.Transform(_ml.Data.LoadFromEnumerable(TaggingData.Recordings(40, seed: 2))), "Events");

        Assert.True(metrics.Accuracy > 0.99, metrics.ToString());
        Assert.Equal(40, metrics.SegmentCount); // silence is none
        Assert.Equal(["-", "call"], metrics.Classes.Select(c => c.Name));
    }

    [Fact]
    public void A_model_of_events_tells_what_moments_its_labels_are_for_and_others_tell_none()
    {
        using var model = TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, o => (o.FirstFrame, o.BackgroundLabel) = (-0.05, "silence"))
            .Fit(_ml.Data.LoadFromEnumerable(TaggingData.Recordings(20)));
        using var words = TaggingData.Trainer(_ml, "Words", MambaTagUnit.Word).Fit(_ml.Data.LoadFromEnumerable(TaggingData.Sentences(20)));

        Assert.Equal((0.01, -0.05, "silence"), (model.FrameHop, model.FirstFrame, model.BackgroundLabel));
        Assert.Equal((0, 0, null), (words.FrameHop, words.FirstFrame, words.BackgroundLabel));
    }

    [Fact]
    public void An_engine_gives_what_the_view_gives()
    {
        var rows = TaggingData.Sentences(30);
        var data = _ml.Data.LoadFromEnumerable(rows);
        using var model = TaggingData.Trainer(_ml, "Words", MambaTagUnit.Word).Fit(data);
        using var engine = _ml.Model.CreatePredictionEngine<TaggingData.TextRow, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
        var scored = _ml.Data.CreateEnumerable<Prediction>(model.Transform(data), reuseRowObject: false).ToList();

        Assert.All(rows.Zip(scored), pair =>
        {
            var own = engine.Predict(pair.First);
            Assert.Equal(pair.Second.PredictedLabel, own.PredictedLabel);
            Assert.Equal(pair.Second.Score, own.Score, (a, b) => Math.Abs(a - b) <= 1e-6f);
        });
    }

    [Fact]
    public void Equal_seeds_give_equal_models()
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Dna(40));
        var scores = Enumerable.Range(0, 2).Select(_ =>
        {
            using var model = TaggingData.Trainer(new MLContext(seed: 5), "Letters", MambaTagUnit.Position, o => o.Training.Dropout = 0.2).Fit(data);
            return model.Transform(data).GetColumn<float[]>("Score").SelectMany(s => s).ToArray();
        }).ToArray();

        Assert.Equal(scores[0], scores[1]);
    }

    [Fact]
    public void Positions_without_a_label_do_not_count()
    {
        var rows = TaggingData.Dna(60);
        var (known, unknown) = (_ml.Data.LoadFromEnumerable(rows), TaggingData.Dna(60));
        var mapping = _ml.Transforms.Conversion.MapValueToKey("Keys", "Names").Fit(known);
        unknown.ForEach(row => row.Names[0] = "never seen");
        var data = mapping.Transform(_ml.Data.LoadFromEnumerable(unknown));
        using var model = TaggingData.Trainer(_ml, "Keys", MambaTagUnit.Position).Fit(data);

        Assert.Equal(rows.Sum(r => r.Sequence.Length - 1), _ml.SequenceTagging().Evaluate(model.Transform(data), "Keys").PositionCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_model_whose_both_strands_are_averaged_or_read_mirrors_its_labels(bool inTheModel)
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Dna(40));
        using var model = TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o =>
        {
            o.Tokenizer = SequenceTokenizer.Dna;
            o.Training.ReverseComplementAugmentation = o.Training.ReverseComplementAveraging = !inTheModel;
            if (inTheModel)
                o.Model = o.Model with { Bidirectional = true, ReverseComplement = MambaReverseComplement.Equivariant };
            o.OppositeStrandLabels = [".", "g"];
        }).Fit(data);

        var one = Scores(model, "ACGTTGCAAC");
        var other = Scores(model, "GTTGCAACGT"); // its reverse complement

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(one[2 * i], other[(2 * (9 - i)) + 1], 1e-6f);
            Assert.Equal(one[(2 * i) + 1], other[2 * (9 - i)], 1e-6f);
        }
    }

    [Fact]
    public void With_a_transition_penalty_labels_are_those_of_the_best_path_also_when_loaded_again()
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Recordings(20));
        MambaTaggingTransformer Fit(double penalty) => TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, o =>
        {
            o.TransitionPenalty = penalty;
            o.Model = o.Model with { Bidirectional = false };
        }).Fit(data);
        using var plain = Fit(0);
        using var smooth = Fit(3);
        using var file = new MemoryStream();
        _ml.Model.Save(smooth, data.Schema, file);
        file.Position = 0;
        using var loaded = (IDisposable)_ml.Model.Load(file, out _);

        int classes = ((VectorDataViewType)smooth.GetOutputSchema(data.Schema)["Score"].Type).Dimensions[^1], changes = 0;
        var (scored, expected) = (smooth.Transform(data), plain.Transform(data).GetColumn<float[]>("Score").ToArray());
        Assert.Equal(expected, scored.GetColumn<float[]>("Score"));
        foreach (var (scores, labels) in expected.Zip(scored.GetColumn<uint[]>("PredictedLabel")))
        {
            var path = new int[labels.Length];
            LabelPath.Find(scores, path, 3);
            Assert.Equal(path, labels.Select(l => (int)l - 1));
            LabelPath.Find(scores, path, 0);
            changes += path.Where((label, t) => label + 1 != labels[t]).Count();
        }
        Assert.True(changes > 0, "The penalty changed no label; this data cannot show what it does.");
        Assert.Equal(scored.GetColumn<uint[]>("PredictedLabel"), ((ITransformer)loaded).Transform(data).GetColumn<uint[]>("PredictedLabel"));
        Assert.Contains("transition penalty of 3", Assert.Throws<InvalidOperationException>(smooth.CreateStream).Message, StringComparison.Ordinal);
        plain.CreateStream().Dispose();
    }

    [Fact]
    public void Labels_that_do_not_fit_are_an_error_that_names_the_row()
    {
        var rows = TaggingData.Dna(20);
        rows[3].Letters = "g.";
        var short_ = _ml.Data.LoadFromEnumerable(rows);
        var words = TaggingData.Sentences(20);
        words[2].Words += " EXTRA";
        var recordings = TaggingData.Recordings(10);
        recordings[5].Events = "0.1 nowhere";

        Assert.Contains("row 3 (from 0) of the training data: there are 2 labels, but the sequence has", Error(() => TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position).Fit(short_)), StringComparison.Ordinal);
        Assert.Contains("row 2 (from 0) of the training data", Error(() => TaggingData.Trainer(_ml, "Words", MambaTagUnit.Word).Fit(_ml.Data.LoadFromEnumerable(words))), StringComparison.Ordinal);
        Assert.Contains("'0.1 nowhere' is no event", Error(() => TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event).Fit(_ml.Data.LoadFromEnumerable(recordings))), StringComparison.Ordinal);
        Assert.Contains("Set FrameHop", Error(() => TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, o => o.FrameHop = 0).Fit(_ml.Data.LoadFromEnumerable(TaggingData.Recordings(4)))), StringComparison.Ordinal);
        Assert.Contains("'x', which is no label", Error(() => TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o => o.OppositeStrandLabels = ["x", "g"]).Fit(_ml.Data.LoadFromEnumerable(TaggingData.Dna(4)))), StringComparison.Ordinal);
    }

    [Fact]
    public void Coarse_labels_are_reported_with_the_sums_of_their_finer_ones_also_live_and_loaded_again()
    {
        // Learnt: '.', and in place of 'g' the letter itself; reported: '.' and 'g'.
        var rows = TaggingData.Dna(60);
        var fine = _ml.Data.LoadFromEnumerable(rows.Select(row => new TaggingData.Row
        {
            Sequence = row.Sequence,
            Letters = string.Concat(row.Sequence.Zip(row.Letters, (letter, label) => label == '.' ? '.' : char.ToLowerInvariant(letter))),
        }));
        MambaTaggingTransformer Fit(Dictionary<string, string>? coarse) => TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o =>
        {
            o.CoarseLabels = coarse;
            o.Model = o.Model with { Bidirectional = false };
        }).Fit(fine);
        using var plain = Fit(null);
        using var model = Fit(new() { ["c"] = "g" });
        using var file = new MemoryStream();
        _ml.Model.Save(model, fine.Schema, file);
        file.Position = 0;
        using var loaded = (IDisposable)_ml.Model.Load(file, out _);
        using var stream = model.CreateStream();

        var data = _ml.Data.LoadFromEnumerable(rows);
        var scored = model.Transform(data);
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["PredictedLabel"].GetKeyValues(ref names);
        Assert.Equal([".", "g"], names.DenseValues().Select(n => n.ToString()));
        Assert.Equal([".", "g"], stream.Labels);
        var scores = scored.GetColumn<float[]>("Score").ToArray();
        foreach (var (row, (finer, own)) in rows.Zip(plain.Transform(data).GetColumn<float[]>("Score").Zip(scores)))
        {
            for (var t = 0; t < row.Sequence.Length; t++)
            {
                Assert.Equal(finer[3 * t], own[2 * t]);
                Assert.Equal(finer[(3 * t) + 1] + finer[(3 * t) + 2], own[(2 * t) + 1]);
            }
            stream.Reset();
            stream.Push(row.Sequence.AsSpan());
            Assert.All(own.Zip(stream.Scores.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        }
        Assert.Equal(scores, ((ITransformer)loaded).Transform(data).GetColumn<float[]>("Score"));
        Assert.Equal(scored.GetColumn<uint[]>("PredictedLabel"), ((ITransformer)loaded).Transform(data).GetColumn<uint[]>("PredictedLabel"));
        var right = rows.Zip(scored.GetColumn<uint[]>("PredictedLabel"), (row, labels) => row.Letters.Zip(labels).Count(pair => pair.First == ".g"[(int)pair.Second - 1])).Sum();
        Assert.Equal((double)right / rows.Sum(row => row.Letters.Length), _ml.SequenceTagging().Evaluate(scored, "Letters").Accuracy, 1e-12);
    }

    [Fact]
    public void Coarse_labels_that_do_not_fit_are_named()
    {
        var data = _ml.Data.LoadFromEnumerable(TaggingData.Dna(4));
        string Of(Dictionary<string, string> coarse) => Error(() => TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o => o.CoarseLabels = coarse).Fit(data));

        Assert.Contains("CoarseLabels has 'x', which is no label; the labels are '.', 'g'", Of(new() { ["x"] = "g" }), StringComparison.Ordinal);
        Assert.Contains("CoarseLabels leaves the one label '.' of '.', 'g'", Of(new() { ["g"] = "." }), StringComparison.Ordinal);
        Assert.Contains("CoarseLabels has no labels, or an empty name", Of([]), StringComparison.Ordinal);
        Assert.Contains("reports the BackgroundLabel 'none' as 'song'", Error(() => TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, o =>
            (o.BackgroundLabel, o.CoarseLabels) = ("none", new Dictionary<string, string> { ["none"] = "song" }))), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_all_listed()
    {
        var error = Error(() => TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o =>
            (o.ScoringWindow, o.FrameHop, o.OppositeStrandLabels, o.BackgroundLabel, o.TransitionPenalty) = (3, -1, ["a"], ";", double.NaN)));

        Assert.Contains("ScoringWindow is 3", error, StringComparison.Ordinal);
        Assert.Contains("FrameHop is -1", error, StringComparison.Ordinal);
        Assert.Contains("expected pairs of different labels", error, StringComparison.Ordinal);
        Assert.Contains("BackgroundLabel is ';'", error, StringComparison.Ordinal);
        Assert.Contains("TransitionPenalty is NaN", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_ends_the_training()
    {
        using var source = new CancellationTokenSource();
        var trainer = TaggingData.Trainer(_ml, "Letters", MambaTagUnit.Position, o =>
            (o.CancellationToken, o.Progress, o.Training.Epochs) = (source.Token, _ => source.Cancel(), 1000));

        Assert.ThrowsAny<OperationCanceledException>(() => trainer.Fit(_ml.Data.LoadFromEnumerable(TaggingData.Dna(40))));
    }

    private static string Error(Action action) => EstimatorContract.MustFail(action).Message;

    private float[] Scores(ITransformer model, string sequence) =>
        model.Transform(_ml.Data.LoadFromEnumerable([new TaggingData.Row { Sequence = sequence }])).GetColumn<float[]>("Score").Single();

    private void Check(IDataView valid, IDataView? fitOnly, string label, MambaTagUnit unit)
    {
        var unlabelled = _ml.Transforms.SelectColumns("Sequence").Fit(valid).Transform(valid);
        var invalid = _ml.Transforms.CopyColumns("Other", "Sequence").Append(_ml.Transforms.DropColumns("Sequence")).Fit(valid).Transform(valid);

        new EstimatorContract(_ml, TaggingData.Trainer(_ml, label, unit)).Check(valid, unlabelled, invalid, fitOnly);
    }

    private sealed class Prediction
    {
        public uint[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];
    }
}
