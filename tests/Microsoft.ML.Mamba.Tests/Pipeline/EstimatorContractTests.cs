using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class EstimatorContractTests
{
    [Theory]
    [InlineData(PipelineTask.Multiclass)]
    [InlineData(PipelineTask.Binary)]
    [InlineData(PipelineTask.Regression)]
    public void A_trainer_does_what_ML_NET_tests_of_every_estimator(PipelineTask task)
    {
        var ml = new MLContext(seed: 1);
        var rows = PipelineData.Rows(60);
        var valid = PipelineData.View(ml, task, rows);
        var contract = new EstimatorContract(ml, PipelineModels.Trainer(ml, task, o => o.Tokenizer = null));

        contract.Check(valid, PipelineData.Unlabelled(ml, rows), WrongType(ml, valid), FramesInstead(ml, valid));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_embedding_does_so_too(bool perPosition)
    {
        var ml = new MLContext(seed: 1);
        var valid = ml.Data.LoadFromEnumerable(PipelineData.Rows(60));
        var estimator = ml.Transforms.MambaEmbed(EmbeddingModels.Options(o => (o.Tokenizer, o.PerPosition) = (null, perPosition)));

        new EstimatorContract(ml, estimator).Check(valid, null, WrongType(ml, valid), FramesInstead(ml, valid));
    }

    [Fact]
    public void An_embedding_from_another_model_does_so_too()
    {
        var ml = new MLContext(seed: 1);
        var valid = ml.Data.LoadFromEnumerable(PipelineData.Rows(20));
        using var source = EmbeddingModels.Fit(ml);
        var estimator = ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(source));
        var promised = estimator.GetOutputSchema(EstimatorContract.ShapeOf(valid.Schema));

        using var model = estimator.Fit(valid);

        SchemaAssert.SameShape(promised, EstimatorContract.ShapeOf(model.GetOutputSchema(valid.Schema)));
        foreach (var bad in new[] { WrongType(ml, valid), FramesInstead(ml, valid) })
        {
            EstimatorContract.MustFail(() => estimator.GetOutputSchema(EstimatorContract.ShapeOf(bad.Schema)));
            EstimatorContract.MustFail(() => estimator.Fit(bad));
            EstimatorContract.MustFail(() => model.Transform(bad));
        }
    }

    [Fact]
    public void A_label_without_key_values_promises_no_names()
    {
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(PipelineData.Rows(30).Select((r, i) => new KeyRow { Sequence = r.Sequence, Label = (uint)(i % 3) + 1 }));
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Multiclass);

        using var model = (IDisposable)trainer.Fit(data);
        var delivered = ((ITransformer)model).GetOutputSchema(data.Schema);

        SchemaAssert.SameShape(trainer.GetOutputSchema(EstimatorContract.ShapeOf(data.Schema)), EstimatorContract.ShapeOf(delivered));
        Assert.Equal(["ScoreColumnKind", "ScoreColumnSetId", "ScoreValueKind"], delivered["Score"].Annotations.Schema.Select(a => a.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Key_values_that_are_no_text_become_training_labels_but_no_slot_names()
    {
        var ml = new MLContext(seed: 1);
        var source = ml.Data.LoadFromEnumerable(PipelineData.Rows(30).Select((r, i) => new NumberRow { Sequence = r.Sequence, Number = 10 * (i % 3) }));
        var data = ml.Transforms.Conversion.MapValueToKey("Label", nameof(NumberRow.Number)).Fit(source).Transform(source);
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Multiclass);

        using var model = (IDisposable)trainer.Fit(data);
        var delivered = ((ITransformer)model).GetOutputSchema(data.Schema);

        SchemaAssert.SameShape(trainer.GetOutputSchema(EstimatorContract.ShapeOf(data.Schema)), EstimatorContract.ShapeOf(delivered));
        Assert.Contains("TrainingLabelValues: Vector<Single, 3> = 0, 10, 20", SchemaAssert.Annotations(delivered["Score"]));
        Assert.Null(delivered["Score"].Annotations.Schema.GetColumnOrNull("SlotNames"));
        Assert.Equal([("20", 0.7f), ("0", 0.2f), ("10", 0.1f)], delivered["Score"].RankLabels([0.2f, 0.1f, 0.7f]));
    }

    internal static IDataView WrongType(MLContext ml, IDataView valid) =>
        ml.Transforms.Conversion.Hash("Sequence", "Sequence").Fit(valid).Transform(valid);

    // Frames in a column of the same name: a trainer can learn from them, a model of text cannot read them.
    internal static IDataView FramesInstead(MLContext ml, IDataView valid)
    {
        var framed = ml.Transforms.CustomMapping<SequenceRow, FrameRow>((row, frames) => frames.Sequence = [.. row.Sequence.Select(c => (float)c / 100), .. new float[row.Sequence.Length % 2]], null);
        return framed.Fit(valid).Transform(valid);
    }

    /// <summary>As many frames as letters, so that there is a label for each.</summary>
    internal static IDataView FramesWithWidth(MLContext ml, IDataView valid)
    {
        var framed = ml.Transforms.CustomMapping<SequenceRow, FrameRow>((row, frames) => frames.Sequence = [.. row.Sequence.SelectMany(c => new[] { (float)c / 100, 0 })], null);
        return framed.Fit(valid).Transform(valid);
    }

    private sealed class KeyRow
    {
        public string Sequence { get; set; } = "";

        [KeyType(3)]
        public uint Label { get; set; }
    }

    private sealed class NumberRow
    {
        public string Sequence { get; set; } = "";

        public float Number { get; set; }
    }

    private sealed class SequenceRow
    {
        public string Sequence { get; set; } = "";
    }

    private sealed class FrameRow
    {
        [VectorType(0, 2)]
        public float[] Sequence { get; set; } = [];
    }
}
