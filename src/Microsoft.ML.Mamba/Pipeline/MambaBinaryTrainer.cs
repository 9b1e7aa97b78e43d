using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a Mamba model to answer a yes-or-no question about a sequence.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this trainer, use [Mamba](xref:Microsoft.ML.MambaCatalog.Mamba*) of `BinaryClassification.Trainers`.
///
/// ### Input and Output Columns
/// The label column must be <xref:System.Boolean>. The sequence column must be text, a vector of keys (missing keys have an id
/// of their own), a vector of integers (ids from 0) or a vector of <xref:System.Single> (frames). Empty sequences are legal.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `PredictedLabel` | <xref:System.Boolean> | Whether the score is above 0, that is, the probability above 0.5. |
/// | `Score` | <xref:System.Single> | The log-odds of yes. |
/// | `Probability` | <xref:System.Single> | The probability of yes. |
///
/// ### Trainer Characteristics
/// | | |
/// | -- | -- |
/// | Machine learning task | Binary classification |
/// | Is normalization required? | No |
/// | Is caching required? | No |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// As in [MambaMulticlassTrainer](xref:Microsoft.ML.Mamba.MambaMulticlassTrainer), with one output and logistic loss.
/// ]]></format>
/// </remarks>
public sealed class MambaBinaryTrainer : IEstimator<MambaBinaryTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaBinaryTrainer(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaBinaryTrainer), options,
            () => new LabelledTask(
                new BinaryTask(options.PredictedLabelColumnName, options.ScoreColumnName, options.ProbabilityColumnName), options.LabelColumnName));

    /// <summary>What ML.NET asks about a trainer: no normalization, no caching.</summary>
    public TrainerInfo Info => SequenceTrainer.Info;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _trainer.GetOutputSchema(inputSchema);

    /// <summary>Trains a model. It can be called any number of times; nothing is kept between calls.</summary>
    /// <param name="input">The rows to train on.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has a type that cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The rows cannot be trained on; the message says which and why.</exception>
    /// <exception cref="OperationCanceledException">The context or the options' token was cancelled.</exception>
    public MambaBinaryTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Trains a model and validates it on rows of their own.</summary>
    /// <param name="trainData">The rows to train on.</param>
    /// <param name="validationData">The rows to validate on after each epoch; they take the place of <see cref="MambaSequenceOptions.ValidationSet"/>.</param>
    /// <returns>The model.</returns>
    public MambaBinaryTransformer Fit(IDataView trainData, IDataView validationData) => new(_trainer.Fit(trainData, validationData));

    /// <summary>Options of <see cref="MambaBinaryTrainer"/>.</summary>
    public sealed class Options : MambaTrainerOptions
    {
        /// <summary>The column that the decision goes to. Default "PredictedLabel".</summary>
        public string PredictedLabelColumnName { get; set; } = DefaultColumnNames.PredictedLabel;

        /// <summary>The column that the probability goes to. Default "Probability".</summary>
        public string ProbabilityColumnName { get; set; } = DefaultColumnNames.Probability;

        internal override IEnumerable<(string Property, string Name)> OutputColumns =>
        [
            (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
            (nameof(ProbabilityColumnName), ProbabilityColumnName),
        ];
    }
}
