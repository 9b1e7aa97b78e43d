namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A model that is disposed while others use it: what runs ends well, what comes later is told so.</summary>
public sealed class LifetimeTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _data;

    public LifetimeTests() => _data = PipelineData.View(_ml, PipelineTask.Multiclass, PipelineData.Rows(60));

    [Fact]
    public void A_cursor_hands_out_what_it_has_scored_and_then_says_that_the_model_is_gone()
    {
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass).Fit(_data);
        var view = model.Transform(_data);
        var expected = RowValues.ReadAll(view);
        using var cursor = view.GetRowCursor(view.Schema);
        var read = RowValues.Reader(cursor);
        Assert.True(cursor.MoveNext());

        ((IDisposable)model).Dispose();

        for (var i = 0; i < 16; i++)
        {
            RowValues.AssertSame(expected[i], read());
            if (i < 15)
                Assert.True(cursor.MoveNext());
        }
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void A_new_cursor_on_a_disposed_model_passes_columns_through_and_refuses_scores()
    {
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass).Fit(_data);
        var view = model.Transform(_data);
        ((IDisposable)model).Dispose();
        ((IDisposable)model).Dispose();

        Assert.Equal(60, RowValues.ReadAll(view.GetRowCursor([view.Schema["Id"]])).Count);
        Assert.Throws<ObjectDisposedException>(() => RowValues.ReadAll(view));
        Assert.Throws<ObjectDisposedException>(() => _ml.Model.Save(model, _data.Schema, Stream.Null));
    }

    [Fact]
    public void Disposing_one_of_two_models_of_a_trainer_leaves_the_other_alone()
    {
        var trainer = PipelineModels.Trainer(_ml, PipelineTask.Multiclass);
        var first = trainer.Fit(_data);
        using var second = (IDisposable)trainer.Fit(_data);

        ((IDisposable)first).Dispose();

        Assert.Equal(60, RowValues.ReadAll(((ITransformer)second).Transform(_data)).Count);
    }

    [Fact]
    public async Task Threads_that_score_while_the_model_is_disposed_get_scores_or_are_told()
    {
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass).Fit(_data);
        var view = model.Transform(_data);
        var expected = RowValues.ReadAll(view);
        using var started = new CountdownEvent(8);

        var threads = Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            started.Signal();
            for (var i = 0; i < 50; i++)
                RowValues.AssertSame(expected, RowValues.ReadAll(view));
        })).ToArray();
        started.Wait();
        ((IDisposable)model).Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Task.WhenAll(threads));
        Assert.All(threads, t => Assert.True(t.Exception is null || t.Exception.InnerException is ObjectDisposedException, $"{t.Exception}"));
    }

    [Fact]
    public void Disposing_a_cursor_early_disposes_the_input_s()
    {
        using var model = (IDisposable)PipelineModels.Trainer(_ml, PipelineTask.Multiclass).Fit(_data);
        var input = new WatchedView(_data);
        var view = ((ITransformer)model).Transform(input);

        var cursor = view.GetRowCursor(view.Schema);
        cursor.MoveNext();
        cursor.Dispose();

        Assert.Equal(1, input.Disposed);
        Assert.False(cursor.MoveNext());
        Assert.InRange(input.RowsRead, 1, 16);
    }
}
