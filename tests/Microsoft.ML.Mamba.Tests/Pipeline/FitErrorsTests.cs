using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Bad input, each with the whole error that the user reads.</summary>
public sealed class FitErrorsTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData(PipelineTask.Multiclass, "a key. Append Transforms.Conversion.MapValueToKey for the label column before the trainer")]
    [InlineData(PipelineTask.Binary, "Boolean. Convert the label column before the trainer, for example with Transforms.Conversion.MapValue or ConvertType, or use MulticlassClassification.Trainers.Mamba with a key")]
    [InlineData(PipelineTask.Regression, "Single. Append Transforms.Conversion.ConvertType for the label column before the trainer")]
    public void A_text_label(PipelineTask task, string expected)
    {
        var trainer = PipelineModels.Trainer(_ml, task, o => o.LabelColumnName = "Class");
        var data = Data();

        AssertSchemaError(trainer, data, $"Label column 'Class' has type String; expected {expected}.");
    }

    [Fact]
    public void No_label_column() =>
        AssertSchemaError(PipelineModels.Trainer(_ml, PipelineTask.Regression), Data(),
            "Could not find label column 'Label'; the data has 'Id', 'Sequence', 'Class', 'Flag', 'Value', 'Extra', 'When'. Set LabelColumnName to one of them.");

    [Fact]
    public void No_sequence_column() =>
        AssertSchemaError(Regression(o => o.SequenceColumnName = "Dna"), Data(),
            "Could not find sequence column 'Dna'; the data has 'Id', 'Sequence', 'Class', 'Flag', 'Value', 'Extra', 'When'. Set SequenceColumnName to one of them.");

    [Fact]
    public void A_sequence_column_of_a_type_that_is_no_sequence() =>
        AssertSchemaError(Regression(o => o.SequenceColumnName = "When"), Data(),
            "Sequence column 'When' has type DateTime; expected text, a vector of keys, a vector of integers (ids from 0), or a vector of Single (frames).");

    [Fact]
    public void A_tokenizer_for_a_column_that_is_no_text() =>
        AssertSchemaError(Regression(o => o.SequenceColumnName = "Extra"), Data(),
            "Tokenizer 'dna' is set, but sequence column 'Extra' is not text. Leave Tokenizer unset for columns of keys, integers or frames.");

    [Fact]
    public void Frames_without_a_width() =>
        AssertFitError<ArgumentOutOfRangeException>(Regression(Frames), Data(),
            "Sequence column 'Extra' has type Vector<Single>, which does not tell the width of a frame. Set FrameWidth (1 for a plain signal), or give the column's vector type a second dimension.");

    [Fact]
    public void Frames_that_are_not_whole()
    {
        var data = Data(rows => rows[5].Extra = [1, 2, 3]);

        AssertFitError<InvalidOperationException>(Regression(o => { Frames(o); o.FrameWidth = 2; }), data,
            "Sequence column 'Extra', row 1 (from 0) of the training data: The vector has 1 values, which is no multiple of the frame width 2.");
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public void Frames_that_are_not_finite(float value, string shown)
    {
        var data = Data(rows => rows[7].Extra = [1, 2, value]);

        AssertFitError<InvalidOperationException>(Regression(o => { Frames(o); o.FrameWidth = 1; }), data,
            $"Sequence column 'Extra', row 7 (from 0) of the training data: Frame 2 holds {shown} at index 0; frames must be finite. Replace missing values first (Transforms.ReplaceMissingValues).");
    }

    [Fact]
    public void A_letter_that_the_tokenizer_does_not_know()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Regression().Fit(Data(rows => rows[4].Sequence = "AC?T")));

        Assert.StartsWith("Sequence column 'Sequence', row 4 (from 0) of the training data: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("'?'", error.Message, StringComparison.Ordinal);
        Assert.IsType<SequenceTokenizationException>(error.InnerException);
    }

    [Fact]
    public void An_infinite_label() =>
        AssertFitError<InvalidOperationException>(Regression(), Data(rows => rows[3].Value = float.NegativeInfinity),
            "Label column 'Value', row 3 (from 0) of the training data: the label is -Infinity; labels must be finite. Filter such rows out.");

    [Fact]
    public void No_rows() =>
        AssertFitError<InvalidOperationException>(Regression(), Data(rows => rows.Clear()), "The training data has no rows.");

    [Fact]
    public void No_row_with_a_label() =>
        AssertFitError<InvalidOperationException>(Regression(), Data(rows => rows.ForEach(r => r.Value = float.NaN)),
            "All 30 rows of the training data have a missing label in column 'Value'.");

    [Fact]
    public void No_sequence_that_is_not_empty() =>
        AssertFitError<InvalidOperationException>(Regression(), Data(rows => rows.ForEach(r => r.Sequence = "")),
            "All 30 sequences of the training data in column 'Sequence' are empty.");

    [Fact]
    public void One_class_only()
    {
        var source = Data();
        var keys = _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(Data(rows => rows.RemoveAll(r => r.Class != "gc")));

        AssertFitError<ArgumentOutOfRangeException>(PipelineModels.Trainer(_ml, PipelineTask.Multiclass), keys.Transform(source),
            "Label column 'Label' has type Key<UInt32, 0-0>; expected at least 2 classes.");
    }

    [Fact]
    public void Rows_of_one_class_only()
    {
        var rows = PipelineData.Rows(30);
        rows.RemoveAll(r => !r.Flag);

        var error = Assert.Throws<MambaTrainingException>(() => PipelineModels.Trainer(_ml, PipelineTask.Binary).Fit(PipelineData.View(_ml, PipelineTask.Binary, rows)));

        Assert.Contains("All 10 training rows are of one class", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Class_weights_for_another_number_of_classes()
    {
        var trainer = PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o => o.Training.ClassWeights = [1, 2]);

        AssertFitError<ArgumentOutOfRangeException>(trainer, PipelineData.View(_ml, PipelineTask.Multiclass, PipelineData.Rows(30)),
            "MambaTrainingOptions: ClassWeights has 2 numbers; the label has 3 classes.");
    }

    [Fact]
    public void A_validation_set_with_other_keys()
    {
        var other = _ml.Transforms.Conversion.MapValueToKey("Label", "Id").Fit(Data()).Transform(Data());
        var trainer = PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o => o.ValidationSet = other);

        AssertFitError<ArgumentOutOfRangeException>(trainer, PipelineData.View(_ml, PipelineTask.Multiclass, PipelineData.Rows(30)),
            "Label column 'Label' of the validation data has type Key<UInt32, 0-29>; expected Key<UInt32, 0-2> as in the training data. Map both with the same fitted transformer.");
    }

    [Fact]
    public void A_vocabulary_too_small_for_the_tokenizer() =>
        AssertFitError<ArgumentOutOfRangeException>(Regression(o => o.Model = o.Model with { VocabSize = 4 }), Data(),
            "Model.VocabSize is 4, but the ids of tokenizer 'dna' need 5. Leave VocabSize at 0, or set it to 5 or more.");

    private IDataView Data(Action<List<PipelineData.Row>>? change = null)
    {
        var rows = PipelineData.Rows(30);
        change?.Invoke(rows);
        return _ml.Data.LoadFromEnumerable(rows);
    }

    private IEstimator<ITransformer> Regression(Action<MambaTrainerOptions>? change = null) => PipelineModels.Trainer(_ml, PipelineTask.Regression, o =>
    {
        o.LabelColumnName = "Value";
        change?.Invoke(o);
    });

    private static void Frames(MambaTrainerOptions options)
    {
        options.SequenceColumnName = "Extra";
        options.Tokenizer = null;
    }

    // From the shape already, and with the same words from Fit.
    private static void AssertSchemaError(IEstimator<ITransformer> trainer, IDataView data, string expected)
    {
        AssertMessage(expected, Assert.Throws<ArgumentOutOfRangeException>(() => trainer.GetOutputSchema(EstimatorContract.ShapeOf(data.Schema))));
        AssertFitError<ArgumentOutOfRangeException>(trainer, data, expected);
    }

    private static void AssertFitError<TException>(IEstimator<ITransformer> trainer, IDataView data, string expected)
        where TException : Exception =>
        AssertMessage(expected, Assert.Throws<TException>(() => trainer.Fit(data)));

    private static void AssertMessage(string expected, Exception error) =>
        Assert.Equal(expected, error.Message.Split(" (Parameter '")[0]);
}
