using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a Mamba model to tell which of K tags a sequence has: none, one, or several.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this trainer, use [Mamba](xref:Microsoft.ML.MultilabelClassificationCatalog.MultilabelClassificationTrainers.Mamba*) of `MultilabelClassification().Trainers`.
///
/// ### Input and Output Columns
/// The label column may be a vector of <xref:System.Boolean> of known size, one value per tag; a vector of <xref:System.Single> of
/// known size, where a value above 0 means that the sequence has the tag and a missing one (NaN) that the row is skipped; or text
/// with the names of the sequence's tags between separators (`Separator`, a comma unless set), where the names that occur in the
/// training data, in ordinal order, become the tags. The sequence column must be text, a vector of keys (missing keys have an id of
/// their own), a vector of integers (ids from 0) or a vector of <xref:System.Single> (frames). Empty sequences are legal.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `PredictedLabels` | Vector of <xref:System.Boolean>, size K | Whether the score of each tag reaches its threshold; slot names are the tags' names where they have any. |
/// | `Score` | Vector of <xref:System.Single>, size K | The probability of each tag by itself (they do not add up to 1); the same slot names. |
///
/// ### Trainer Characteristics
/// | | |
/// | -- | -- |
/// | Machine learning task | Multilabel classification |
/// | Is normalization required? | No |
/// | Is caching required? | No |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// As [MambaMulticlassTrainer](xref:Microsoft.ML.Mamba.MambaMulticlassTrainer), with a sigmoid and binary cross-entropy for each tag.
/// Validation keeps the epoch of the best mean average precision. Each tag's threshold is the one with the best F1 on the validation
/// rows; 0.5 without validation, and for tags that no validation row has. `ClassWeights` weigh the rows that have a tag, those without
/// it weighing 1; `Balanced` makes both sides count the same.
/// ]]></format>
/// </remarks>
public sealed class MambaMultilabelTrainer : IEstimator<MambaMultilabelTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaMultilabelTrainer(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaMultilabelTrainer), options,
            () => new MultilabelTask(options.LabelColumnName, options.PredictedLabelsColumnName, options.ScoreColumnName, options.Separator));

    /// <summary>What ML.NET asks about a trainer: no normalization, no caching.</summary>
    public TrainerInfo Info => SequenceTrainer.Info;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _trainer.GetOutputSchema(inputSchema);

    /// <summary>Trains a model. It can be called any number of times, with any number of tags; nothing is kept between calls.</summary>
    /// <param name="input">The rows to train on.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has a type that cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The rows cannot be trained on; the message says which and why.</exception>
    /// <exception cref="OperationCanceledException">The context or the options' token was cancelled.</exception>
    public MambaMultilabelTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Trains a model and validates it on rows of their own.</summary>
    /// <param name="trainData">The rows to train on.</param>
    /// <param name="validationData">The rows to validate on after each epoch; they take the place of <see cref="MambaSequenceOptions.ValidationSet"/>.</param>
    /// <returns>The model.</returns>
    public MambaMultilabelTransformer Fit(IDataView trainData, IDataView validationData) => new(_trainer.Fit(trainData, validationData));

    /// <summary>Options of <see cref="MambaMultilabelTrainer"/>.</summary>
    public sealed class Options : MambaTrainerOptions
    {
        /// <summary>The column that the decisions go to. Default "PredictedLabels".</summary>
        public string PredictedLabelsColumnName { get; set; } = "PredictedLabels";

        /// <summary>What stands between the names of tags in a label column of text; white space around names is no part of them. Default a comma.</summary>
        public char Separator { get; set; } = ',';

        internal override IEnumerable<(string Property, string Name)> OutputColumns =>
        [
            (nameof(PredictedLabelsColumnName), PredictedLabelsColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
        ];
    }
}
