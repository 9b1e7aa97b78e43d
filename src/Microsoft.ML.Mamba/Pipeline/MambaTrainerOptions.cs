using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba;

/// <summary>
/// What the three trainers have in common: the columns, the architecture (<see cref="Model"/>), the training run
/// (<see cref="Training"/>) and how sequences are read and scored. A trainer takes a copy when it is made: it never changes
/// the object, and later changes to the object have no effect on it.
/// </summary>
public abstract class MambaTrainerOptions
{
    internal const int DefaultEpochs = 20;

    private protected MambaTrainerOptions()
    {
    }

    /// <summary>The column to learn from. Default "Label".</summary>
    public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

    /// <summary>
    /// The column with the sequences: text, a vector of keys, a vector of integers (ids from 0) or a vector of
    /// <see cref="float"/> (frames). Default "Sequence".
    /// </summary>
    public string SequenceColumnName { get; set; } = "Sequence";

    /// <summary>The column that the scores go to. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = DefaultColumnNames.Score;

    /// <summary>
    /// The architecture. Its <see cref="MambaConfig.VocabSize"/> and <see cref="MambaConfig.FrameWidth"/> may stay 0: they
    /// come from the data. Set <see cref="MambaConfig.MaxPositions"/> where windows are aligned on a site of interest, and
    /// leave it at 0 where a motif may stand anywhere.
    /// </summary>
    [NestOption]
    public MambaConfig Model { get; set; } = new();

    /// <summary>The training run: epochs, learning rate, regularisation, validation, early stopping, seed.</summary>
    [NestOption]
    public MambaTrainingOptions Training { get; set; } = new();

    /// <summary>How the states of all positions become one vector. Default <see cref="MambaPooling.MeanMax"/>.</summary>
    [Choice(new object[] { MambaPooling.Mean, MambaPooling.Max, MambaPooling.MeanMax, MambaPooling.Attention }, MambaPooling.MeanMax)]
    public MambaPooling Pooling { get; set; } = MambaPooling.MeanMax;

    /// <summary>What turns text into ids; saved with the model. Null (default): <see cref="SequenceTokenizer.Bytes"/>. Only for text columns.</summary>
    [JsonIgnore]
    public SequenceTokenizer? Tokenizer { get; set; }

    /// <summary>
    /// Values per frame, for columns of <see cref="float"/> vectors whose type has no second dimension. 0 (default): from the
    /// column's type.
    /// </summary>
    public int FrameWidth { get; set; }

    /// <summary>
    /// The most rows that are scored together; long sequences go in smaller batches. Results do not depend on it. Default 64.
    /// </summary>
    public int ScoringBatchSize { get; set; } = 64;

    /// <summary>
    /// Rows to validate on after each epoch, with the same columns as the training rows. Null (default): a part of the training
    /// rows, see <see cref="MambaTrainingOptions.ValidationFraction"/>.
    /// </summary>
    [JsonIgnore]
    public IDataView? ValidationSet { get; set; }

    /// <summary>Called from the training thread, within and after each epoch. An exception thrown in it ends the training. Default null.</summary>
    [JsonIgnore]
    public Action<MambaTrainingProgress>? Progress { get; set; }

    /// <summary>Checked before each step; cancelling ends <c>Fit</c> with an <see cref="OperationCanceledException"/>. Default: none.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>The output columns and the property that names each, for checks.</summary>
    internal abstract IEnumerable<(string Property, string Name)> OutputColumns { get; }

    /// <summary>Options with only what the short overloads of the catalog take.</summary>
    internal static TOptions Short<TOptions>(string labelColumnName, string sequenceColumnName, SequenceTokenizer? tokenizer, int epochs)
        where TOptions : MambaTrainerOptions, new() => new()
        {
            LabelColumnName = labelColumnName,
            SequenceColumnName = sequenceColumnName,
            Tokenizer = tokenizer,
            Training = new MambaTrainingOptions { Epochs = epochs },
        };
}
