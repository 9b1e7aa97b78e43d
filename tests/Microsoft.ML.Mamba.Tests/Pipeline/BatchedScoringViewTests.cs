using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

[Collection(PipelineCollection.Name)]
public sealed class BatchedScoringViewTests(PipelineModels models)
{
    // The fixture's models score 16 rows at a time; windows of 16, 64, 256, … rows.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(80)]
    [InlineData(81)]
    [InlineData(350)]
    public void Rows_come_in_order_with_the_scores_they_have_alone(int count)
    {
        var rows = PipelineData.Rows(count, seed: 3);
        var scored = RowValues.ReadAll(Score(rows));

        Assert.Equal(rows.Select(r => r.Id), scored.Select(r => r.Values[0]));
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), scored.Select(r => r.Position));
        foreach (var index in new[] { 0, 7, 16, 80, count - 1 }.Where(i => i >= 0 && i < count))
            Assert.Equal((float[])scored[index].Values[^1]!, ScoreAlone(rows[index]), (a, b) => Math.Abs(a - b) <= 1e-6f);
    }

    [Fact]
    public void Empty_and_missing_text_is_an_empty_sequence_with_one_defined_score()
    {
        var rows = PipelineData.Rows(4);
        rows[1].Sequence = "";
        rows[2].Sequence = null!;

        var scored = RowValues.ReadAll(Score(rows));

        Assert.All((float[])scored[1].Values[^1]!, s => Assert.True(float.IsFinite(s)));
        Assert.Equal(scored[1].Values[^1], scored[2].Values[^1]);
    }

    [Fact]
    public void The_input_is_read_once_and_only_where_it_is_needed()
    {
        var input = new WatchedView(models.Context.Data.LoadFromEnumerable(PipelineData.Rows(100)));
        var view = models[PipelineTask.Multiclass].Transform(input);

        RowValues.ReadAll(view.GetRowCursor([view.Schema["Score"], view.Schema["Id"]]));

        Assert.Equal([["Id", "Sequence"]], input.Opened);
        Assert.Equal(100, input.RowsRead);
        Assert.Equal(1, input.Disposed);
    }

    [Fact]
    public void The_model_stays_idle_unless_a_score_is_asked_for()
    {
        // The third row cannot be scored; nobody notices as long as nobody asks.
        var rows = PipelineData.Rows(5);
        rows[2].Sequence = "AC!T";
        var input = new WatchedView(models.Context.Data.LoadFromEnumerable(rows));
        var view = models[PipelineTask.Multiclass].Transform(input);

        var read = RowValues.ReadAll(view.GetRowCursor([view.Schema["Id"]]));

        Assert.Equal(["row0", "row1", "row2", "row3", "row4"], read.Select(r => r.Values[0]));
        Assert.Equal([["Id"]], input.Opened);
    }

    [Fact]
    public void Unreadable_rows_have_missing_scores_and_one_warning_counts_them()
    {
        var ml = new MLContext(seed: 1);
        var warnings = new List<string>();
        ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        var rows = PipelineData.Rows(40);
        var model = PipelineModels.Trainer(ml, PipelineTask.Multiclass).Fit(PipelineData.View(ml, PipelineTask.Multiclass, rows));
        using var owned = (IDisposable)model;
        var expected = RowValues.ReadAll(model.Transform(ml.Data.LoadFromEnumerable(rows)));
        warnings.Clear();
        (rows[0].Sequence, rows[33].Sequence) = ("NO-DNA", "ACGTZ");

        var scored = RowValues.ReadAll(model.Transform(ml.Data.LoadFromEnumerable(rows)));

        foreach (var unreadable in new[] { 0, 33 })
        {
            Assert.Equal([float.NaN, float.NaN, float.NaN], (float[])scored[unreadable].Values[^1]!);
            Assert.Equal("0", scored[unreadable].Values[^2]);
            Assert.Equal(rows[unreadable].Id, scored[unreadable].Values[0]);
        }
        foreach (var readable in Enumerable.Range(0, 40).Except([0, 33]))
            Assert.Equal((float[])expected[readable].Values[^1]!, (float[])scored[readable].Values[^1]!, (a, b) => Math.Abs(a - b) <= 1e-6f);
        var warning = Assert.Single(warnings);
        Assert.Contains("2 of 40 rows could not be read; their scores are missing (NaN). The first: Sequence column 'Sequence', row 0 (from 0): ", warning, StringComparison.Ordinal);
        Assert.Contains("'O'", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unreadable_row_has_no_answer_to_a_yes_or_no_question()
    {
        var rows = PipelineData.Rows(3);
        rows[1].Sequence = "?";

        var scored = RowValues.ReadAll(models[PipelineTask.Binary].Transform(Source(rows)));

        Assert.True(float.IsNaN((float)scored[1].Values[^2]!));
        Assert.True(float.IsNaN((float)scored[1].Values[^1]!));
        Assert.Equal("False", scored[1].Values[^3]);
    }

    [Fact]
    public void The_evaluator_leaves_rows_with_missing_scores_out()
    {
        var rows = PipelineData.Rows(60);
        var model = models[PipelineTask.Multiclass];
        MulticlassClassificationMetrics Evaluate(IEnumerable<PipelineData.Row> of) => models.Context.MulticlassClassification.Evaluate(
            model.Transform(PipelineData.View(models.Context, PipelineTask.Multiclass, of)));
        var expected = Evaluate(rows.Skip(1));
        rows[0].Sequence = "?";

        Assert.Equal(expected.MicroAccuracy, Evaluate(rows).MicroAccuracy, 1e-9);
    }

    [Fact]
    public void Shuffling_is_the_input_s_own()
    {
        var data = models.Context.Data.Cache(models.Context.Data.LoadFromEnumerable(PipelineData.Rows(100)));
        var view = models[PipelineTask.Multiclass].Transform(data);
        var straight = RowValues.ReadAll(view);

        var shuffled = RowValues.ReadAll(view.GetRowCursor(view.Schema, new Random(5)));
        var again = RowValues.ReadAll(view.GetRowCursor(view.Schema, new Random(5)));

        Assert.True(view.CanShuffle);
        Assert.NotEqual(straight.Select(r => r.Id), shuffled.Select(r => r.Id));
        RowValues.AssertSame(shuffled, again);
        foreach (var (left, right) in straight.Zip(shuffled.OrderBy(r => int.Parse(((string)r.Values[0]!)[3..], System.Globalization.CultureInfo.InvariantCulture))))
            RowValues.AssertSameValues(left, right);
    }

    [Fact]
    public void A_view_that_cannot_shuffle_keeps_its_order()
    {
        var cached = models.Context.Data.Cache(models.Context.Data.LoadFromEnumerable(PipelineData.Rows(50)));
        var view = models[PipelineTask.Multiclass].Transform(new WatchedView(cached, canShuffle: false));

        Assert.False(view.CanShuffle);
        RowValues.AssertSame(RowValues.ReadAll(view), RowValues.ReadAll(view.GetRowCursor(view.Schema, new Random(5))));
    }

    [Fact]
    public void The_row_count_is_the_input_s()
    {
        Assert.Equal(23, Score(PipelineData.Rows(23)).GetRowCount());
        Assert.Null(models[PipelineTask.Multiclass].Transform(models.Context.Data.FilterRowsByMissingValues(Source(PipelineData.Rows(23)), "Value")).GetRowCount());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cursor_set_of_any_size_gives_all_rows_and_their_order_by_batch(bool withScores)
    {
        var view = Score(PipelineData.Rows(100));
        var columns = withScores ? view.Schema.ToArray() : [view.Schema["Id"]];
        var straight = RowValues.ReadAll(view.GetRowCursor(columns));

        for (var n = 1; n <= 8; n++)
        {
            var cursors = view.GetRowCursorSet(columns, n);
            Assert.InRange(cursors.Length, 1, n);
            var parts = cursors.Select(RowValues.ReadAll).ToArray();

            Assert.All(parts, rows => Assert.Equal(rows.Select(r => r.Batch).Order(), rows.Select(r => r.Batch)));
            var merged = parts.SelectMany(p => p).OrderBy(r => r.Batch).ToArray();
            Assert.Equal(straight.Count, merged.Length);
            foreach (var (left, right) in straight.Zip(merged))
                RowValues.AssertSameValues(left, right);
        }
    }

    [Fact]
    public void Cursors_advance_independently_of_each_other()
    {
        var view = Score(PipelineData.Rows(60));
        var expected = RowValues.ReadAll(view);
        using var first = view.GetRowCursor(view.Schema);
        using var second = view.GetRowCursor(view.Schema);
        var readFirst = RowValues.Reader(first);
        var readSecond = RowValues.Reader(second);

        for (var i = 0; i < 60; i++)
        {
            Assert.True(first.MoveNext());
            if (i % 2 == 0)
            {
                Assert.True(second.MoveNext());
                RowValues.AssertSame(expected[i / 2], readSecond());
            }
            RowValues.AssertSame(expected[i], readFirst());
        }
    }

    [Fact]
    public void Sixteen_threads_read_the_same_scores()
    {
        var view = Score(PipelineData.Rows(60));
        var expected = RowValues.ReadAll(view);

        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, _ => RowValues.AssertSame(expected, RowValues.ReadAll(view)));
    }

    [Fact]
    public void The_batch_size_does_not_change_a_score()
    {
        var ml = new MLContext(seed: 3);
        var training = PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(60));
        var rows = ml.Data.LoadFromEnumerable(PipelineData.Rows(70, seed: 4));
        using var one = (IDisposable)PipelineModels.Trainer(ml, PipelineTask.Multiclass, o => o.ScoringBatchSize = 1).Fit(training);
        using var many = (IDisposable)PipelineModels.Trainer(ml, PipelineTask.Multiclass, o => o.ScoringBatchSize = 64).Fit(training);

        RowValues.AssertSame(RowValues.ReadAll(((ITransformer)one).Transform(rows)), RowValues.ReadAll(((ITransformer)many).Transform(rows)));
    }

    [Fact]
    public void Getters_refuse_inactive_columns_wrong_types_and_rows_before_the_first()
    {
        var view = Score(PipelineData.Rows(3));
        using var cursor = view.GetRowCursor([view.Schema["Score"], view.Schema["When"]]);

        Assert.False(cursor.IsColumnActive(view.Schema["Id"]));
        Assert.Contains("'Id' is not active", Assert.Throws<ArgumentOutOfRangeException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Id"])).Message, StringComparison.Ordinal);
        Assert.Contains("Invalid TValue in GetGetter: 'System.Single'", Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(view.Schema["Score"])).Message, StringComparison.Ordinal);
        Assert.Contains("Invalid TValue in GetGetter: 'System.Int32'", Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<int>(view.Schema["When"])).Message, StringComparison.Ordinal);
        VBuffer<float> scores = default;
        var getter = cursor.GetGetter<VBuffer<float>>(view.Schema["Score"]);
        Assert.Throws<InvalidOperationException>(() => getter(ref scores));
    }

    [Fact]
    public void A_getter_fills_the_caller_s_buffer_and_leaves_it_to_the_caller()
    {
        var view = Score(PipelineData.Rows(20));
        using var cursor = view.GetRowCursor(view.Schema);
        var score = cursor.GetGetter<VBuffer<float>>(view.Schema["Score"]);
        var extra = cursor.GetGetter<VBuffer<float>>(view.Schema["Extra"]);
        VBuffer<float> scores = default, extras = default;
        cursor.MoveNext();
        score(ref scores);
        cursor.MoveNext();
        extra(ref extras);

        VBufferEditor.CreateFromBuffer(ref scores).Values.Clear();
        VBufferEditor.CreateFromBuffer(ref extras).Values.Clear();
        VBuffer<float> scoresAgain = default, extrasAgain = default;
        score(ref scoresAgain);
        extra(ref extrasAgain);

        Assert.All(scoresAgain.GetValues().ToArray(), s => Assert.True(s > 0));
        Assert.Equal([0.5f], extrasAgain.GetValues().ToArray());
    }

    [Fact]
    public void Evaluators_of_ML_NET_take_the_scores_as_they_are()
    {
        var ml = models.Context;
        var multiclass = ml.MulticlassClassification.Evaluate(models[PipelineTask.Multiclass].Transform(PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(60))));
        var binary = ml.BinaryClassification.Evaluate(models[PipelineTask.Binary].Transform(PipelineData.View(ml, PipelineTask.Binary, PipelineData.Rows(60))));
        var regression = ml.Regression.Evaluate(models[PipelineTask.Regression].Transform(PipelineData.View(ml, PipelineTask.Regression, PipelineData.Rows(60))));

        Assert.Equal(3, multiclass.ConfusionMatrix.NumberOfClasses);
        Assert.True(double.IsFinite(multiclass.LogLoss));
        Assert.True(double.IsFinite(binary.LogLoss));
        Assert.True(double.IsFinite(regression.RootMeanSquaredError));
    }

    [Fact]
    public void Savers_caches_and_filters_of_ML_NET_take_the_view_like_any_other()
    {
        var ml = models.Context;
        var view = models[PipelineTask.Multiclass].Transform(PipelineData.View(ml, PipelineTask.Multiclass, PipelineData.Rows(50)));
        var expected = RowValues.ReadAll(view);
        using var stream = new MemoryStream();

        ml.Data.SaveAsBinary(view, stream);
        var loaded = ml.Data.LoadFromBinary(new MemorySource(stream.ToArray()));

        RowValues.AssertSame(expected, RowValues.ReadAll(loaded));
        RowValues.AssertSame(expected, RowValues.ReadAll(ml.Data.Cache(view)));
        RowValues.AssertSame(expected[..10], RowValues.ReadAll(ml.Data.TakeRows(view, 10)));
        Assert.Equal(20, view.Preview(20).RowView.Length);
    }

    private sealed class MemorySource(byte[] bytes) : IMultiStreamSource
    {
        public int Count => 1;

        public string GetPathOrNull(int index) => null!;

        public Stream Open(int index) => new MemoryStream(bytes);

        public TextReader OpenTextReader(int index) => new StreamReader(Open(index));
    }

    private IDataView Source(IEnumerable<PipelineData.Row> rows) => models.Context.Data.LoadFromEnumerable(rows);

    private IDataView Score(IEnumerable<PipelineData.Row> rows) => models[PipelineTask.Multiclass].Transform(Source(rows));

    private float[] ScoreAlone(PipelineData.Row row) => (float[])RowValues.ReadAll(Score([row]))[0].Values[^1]!;
}
