using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Columns of keys, integers and frames train and score like text does.</summary>
public sealed class SequenceColumnTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Keys_are_their_own_ids_and_a_missing_key_has_one_too()
    {
        var letters = _ml.Data.LoadFromEnumerable(Rows(r => new LettersRow { Letters = [.. r.Sequence.Select(c => c.ToString())], Value = r.Value }));
        var map = _ml.Transforms.Conversion.MapValueToKey("Sequence", "Letters").Fit(letters);
        using var model = Fit(map.Transform(letters));

        Assert.Equal(5, model.Model.VocabSize);
        var withUnknown = map.Transform(_ml.Data.LoadFromEnumerable([new LettersRow { Letters = ["A", "?", "C"] }, new LettersRow { Letters = ["A", "G", "C"] }]));
        var scores = Scores(model, withUnknown);
        Assert.All(scores, s => Assert.True(float.IsFinite(s)));
        Assert.NotEqual(scores[0], scores[1]);
    }

    [Fact]
    public void Keys_of_more_values_than_the_model_knows_are_refused()
    {
        using var model = Fit(_ml.Data.LoadFromEnumerable(Rows(r => new SmallKeyRow { Sequence = [.. r.Sequence.Select(c => (uint)(c % 4) + 1)], Value = r.Value })));
        var larger = _ml.Data.LoadFromEnumerable([new LargeKeyRow { Sequence = [7] }]);

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => model.Transform(larger));

        Assert.StartsWith("Sequence column 'Sequence' has type Vector<Key<UInt32, 0-8>>; the model was trained on keys of at most 4 values.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Integers_of_every_width_and_sign_give_the_same_model()
    {
        float[] Train<T>(Func<int, T> convert)
        {
            var data = _ml.Data.LoadFromEnumerable(Rows(r => new IntegerRow<T> { Sequence = [.. r.Sequence.Select(c => convert(c % 8))], Value = r.Value }));
            using var model = Fit(data);
            Assert.Equal(8, model.Model.VocabSize);
            return Scores(model, data);
        }

        var expected = Train(i => i);
        Assert.Equal(expected, Train(i => (byte)i));
        Assert.Equal(expected, Train(i => (sbyte)i));
        Assert.Equal(expected, Train(i => (short)i));
        Assert.Equal(expected, Train(i => (ushort)i));
        Assert.Equal(expected, Train(i => (uint)i));
        Assert.Equal(expected, Train(i => (long)i));
        Assert.Equal(expected, Train(i => (ulong)i));
    }

    [Fact]
    public void An_integer_that_is_no_id_is_named_with_its_row()
    {
        var rows = Rows(r => new IntegerRow<int> { Sequence = [.. r.Sequence.Select(c => c % 8)], Value = r.Value }).ToList();
        using var model = Fit(_ml.Data.LoadFromEnumerable(rows));
        rows[2].Sequence = [1, 2, -3];
        var negative = Assert.Throws<InvalidOperationException>(() => Fit(_ml.Data.LoadFromEnumerable(rows)));
        rows[2].Sequence = [1, 8];
        using var engine = _ml.Model.CreatePredictionEngine<IntegerRow<int>, Scored>(model);
        var beyond = Assert.Throws<InvalidOperationException>(() => engine.Predict(rows[2]));

        Assert.Equal("Sequence column 'Sequence', row 2 (from 0) of the training data: The value -3 at position 2 is no id; expected 0 to 16777215.", negative.Message);
        Assert.Equal("Sequence column 'Sequence', row 0 (from 0): The value 8 at position 1 is no id; expected 0 to 7. A larger Model.VocabSize in training would allow for it.", beyond.Message);
    }

    [Fact]
    public void Sparse_vectors_are_read_as_what_they_stand_for()
    {
        var dense = _ml.Data.LoadFromEnumerable(Rows(r => new FixedFramesRow { Sequence = [0, r.Value, 0, 0, 0, 1], Value = r.Value }));
        var sparse = new SparseView(dense, "Sequence");
        using var model = Fit(dense, o => o.FrameWidth = 2);

        Assert.Equal(2, model.Model.FrameWidth);
        Assert.Equal(Scores(model, dense), Scores(model, sparse));
    }

    [Fact]
    public void Frames_take_their_width_from_the_second_dimension()
    {
        var data = _ml.Data.LoadFromEnumerable(Rows(r => new FramesRow { Sequence = [.. r.Sequence.SelectMany(c => new[] { c / 100f, 1, -1 })], Value = r.Value }));
        using var model = Fit(data);
        var other = _ml.Data.LoadFromEnumerable([new WideFramesRow { Sequence = [1, 2, 3, 4] }]);

        Assert.Equal((3, 0), (model.Model.FrameWidth, model.Model.VocabSize));
        Assert.All(Scores(model, data), s => Assert.True(float.IsFinite(s)));
        Assert.StartsWith("Sequence column 'Sequence' has type Vector<Single, *, 4>; the model was trained on frames of 3 values.",
            Assert.Throws<ArgumentOutOfRangeException>(() => model.Transform(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_frames_is_saved_and_loaded_like_any_other()
    {
        var data = _ml.Data.LoadFromEnumerable(Rows(r => new FramesRow { Sequence = [.. r.Sequence.SelectMany(c => new[] { c / 100f, 1, -1 })], Value = r.Value }));
        using var model = Fit(data);
        using var stream = new MemoryStream();
        _ml.Model.Save(model, data.Schema, stream);
        stream.Position = 0;

        using var loaded = (MambaRegressionTransformer)new MLContext().Model.Load(stream, out _);

        Assert.Equal(Scores(model, data), Scores(loaded, data), (a, b) => Math.Abs(a - b) <= 1e-6f);
    }

    [Fact]
    public void A_frame_that_is_not_finite_costs_its_own_row_only()
    {
        var rows = Rows(r => new FixedFramesRow { Sequence = [0, r.Value, 0, 0, 0, 1], Value = r.Value }).ToList();
        using var model = Fit(_ml.Data.LoadFromEnumerable(rows), o => o.FrameWidth = 2);
        var expected = Scores(model, _ml.Data.LoadFromEnumerable(rows));
        rows[4].Sequence[3] = float.NaN;

        var scores = Scores(model, _ml.Data.LoadFromEnumerable(rows));

        Assert.True(float.IsNaN(scores[4]));
        Assert.Equal(expected.Where((_, i) => i != 4), scores.Where((_, i) => i != 4), (a, b) => Math.Abs(a - b) <= 1e-6f);
    }

    private MambaRegressionTransformer Fit(IDataView data, Action<MambaTrainerOptions>? change = null) =>
        (MambaRegressionTransformer)PipelineModels.Trainer(_ml, PipelineTask.Regression, o =>
        {
            o.Tokenizer = null;
            o.LabelColumnName = "Value";
            o.Training.Seed = 3;
            change?.Invoke(o);
        }).Fit(data);

    private static IEnumerable<T> Rows<T>(Func<PipelineData.Row, T> convert) => PipelineData.Rows(30).Select(convert);

    private static float[] Scores(ITransformer model, IDataView data)
    {
        var view = model.Transform(data);
        return [.. RowValues.ReadAll(view.GetRowCursor([view.Schema["Score"]])).Select(r => (float)r.Values[^1]!)];
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }

    private sealed class LettersRow
    {
        public string[] Letters { get; set; } = [];

        public float Value { get; set; }
    }

    private sealed class SmallKeyRow
    {
        [KeyType(4)]
        public uint[] Sequence { get; set; } = [];

        public float Value { get; set; }
    }

    private sealed class LargeKeyRow
    {
        [KeyType(9)]
        public uint[] Sequence { get; set; } = [];
    }

    private sealed class IntegerRow<T>
    {
        public T[] Sequence { get; set; } = [];

        public float Value { get; set; }
    }

    private sealed class FixedFramesRow
    {
        [VectorType(6)]
        public float[] Sequence { get; set; } = [];

        public float Value { get; set; }
    }

    private sealed class FramesRow
    {
        [VectorType(0, 3)]
        public float[] Sequence { get; set; } = [];

        public float Value { get; set; }
    }

    private sealed class WideFramesRow
    {
        [VectorType(0, 4)]
        public float[] Sequence { get; set; } = [];
    }
}
