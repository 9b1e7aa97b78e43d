using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a Mamba model to tell which of K labels a sequence has.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this trainer, use [Mamba](xref:Microsoft.ML.MambaCatalog.Mamba*) of `MulticlassClassification.Trainers`.
///
/// ### Input and Output Columns
/// The label column must be of [key](xref:Microsoft.ML.Data.KeyDataViewType) type; rows whose label is missing are skipped.
/// The sequence column must be text, a vector of keys (missing keys have an id of their own), a vector of integers (ids from 0)
/// or a vector of <xref:System.Single> (frames). Empty sequences are legal.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `PredictedLabel` | [key](xref:Microsoft.ML.Data.KeyDataViewType) | The label with the largest score; its key values are those of the label column. |
/// | `Score` | Vector of <xref:System.Single> | The probability of each label; slot names are the label's key values where they are text. |
///
/// ### Trainer Characteristics
/// | | |
/// | -- | -- |
/// | Machine learning task | Multiclass classification |
/// | Is normalization required? | No |
/// | Is caching required? | No |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// A stack of selective state space blocks ([Gu and Dao 2023](https://arxiv.org/abs/2312.00752)) reads the sequence in linear
/// time; its states are pooled over the real positions and classified by a linear layer. Cross-entropy, AdamW, linear warm-up
/// and cosine decay. The best weights on the validation rows are kept. The same seed gives the same model on the same machine.
/// ]]></format>
/// </remarks>
public sealed class MambaMulticlassTrainer : IEstimator<MambaMulticlassTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaMulticlassTrainer(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaMulticlassTrainer), options,
            () => new LabelledTask(new MulticlassTask(options.PredictedLabelColumnName, options.ScoreColumnName), options.LabelColumnName));

    /// <summary>What ML.NET asks about a trainer: no normalization, no caching.</summary>
    public TrainerInfo Info => SequenceTrainer.Info;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _trainer.GetOutputSchema(inputSchema);

    /// <summary>Trains a model. It can be called any number of times, with any number of classes; nothing is kept between calls.</summary>
    /// <param name="input">The rows to train on.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has a type that cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The rows cannot be trained on; the message says which and why.</exception>
    /// <exception cref="OperationCanceledException">The context or the options' token was cancelled.</exception>
    public MambaMulticlassTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Trains a model and validates it on rows of their own.</summary>
    /// <param name="trainData">The rows to train on.</param>
    /// <param name="validationData">The rows to validate on after each epoch; they take the place of <see cref="MambaSequenceOptions.ValidationSet"/>.</param>
    /// <returns>The model.</returns>
    public MambaMulticlassTransformer Fit(IDataView trainData, IDataView validationData) => new(_trainer.Fit(trainData, validationData));

    /// <summary>Options of <see cref="MambaMulticlassTrainer"/>.</summary>
    public sealed class Options : MambaTrainerOptions
    {
        /// <summary>The column that the predicted key goes to. Default "PredictedLabel".</summary>
        public string PredictedLabelColumnName { get; set; } = DefaultColumnNames.PredictedLabel;

        internal override IEnumerable<(string Property, string Name)> OutputColumns =>
        [
            (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
        ];
    }
}
