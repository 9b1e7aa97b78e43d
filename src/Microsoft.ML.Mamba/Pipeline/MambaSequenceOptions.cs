using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba;

/// <summary>
/// What all estimators have in common: the architecture (<see cref="Model"/>), the training run (<see cref="Training"/>) and how
/// sequences are read and scored. An estimator takes a copy when it is made: it never changes the object, and later changes to
/// the object have no effect on it.
/// </summary>
public abstract class MambaSequenceOptions
{
    internal const int DefaultEpochs = 20;

    private protected MambaSequenceOptions()
    {
    }

    /// <summary>
    /// The architecture. Its <see cref="MambaConfig.VocabSize"/> and <see cref="MambaConfig.FrameWidth"/> may stay 0: they
    /// come from the data. Set <see cref="MambaConfig.MaxPositions"/> where windows are aligned on a site of interest, and
    /// leave it at 0 where a motif may stand anywhere. With <see cref="Pretrained"/> it is that of the encoder: leave it alone.
    /// </summary>
    [NestOption]
    public MambaConfig Model { get; set; } = new();

    /// <summary>The training run: epochs, learning rate, regularisation, validation, early stopping, seed.</summary>
    [NestOption]
    public MambaTrainingOptions Training { get; set; } = new();

    /// <summary>
    /// An encoder that was learnt before. <c>Fit</c> takes a copy of it, with its tokenizer and the length that it cuts
    /// sequences to unless these are set here; the model it came from must not be disposed before. Null (default): none.
    /// </summary>
    [JsonIgnore]
    public MambaEncoder? Pretrained { get; set; }

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

    /// <summary>The input columns and the property that names each, for checks; the last is the sequence.</summary>
    internal abstract IEnumerable<(string Property, string Name)> InputColumns { get; }

    /// <summary>The output columns and the property that names each, for checks.</summary>
    internal abstract IEnumerable<(string Property, string Name)> OutputColumns { get; }

    /// <summary>How states become one vector.</summary>
    internal abstract MambaPooling PoolingChoice { get; }

    /// <summary>Whether the encoder stays as it is.</summary>
    internal virtual bool EncoderIsFrozen => false;

    /// <summary>The encoder's learning rate as a share of the others'.</summary>
    internal virtual double EncoderRateScale => 1;

    /// <summary>What is wrong with the values that this kind of options adds.</summary>
    internal abstract IEnumerable<string> OwnViolations();
}
