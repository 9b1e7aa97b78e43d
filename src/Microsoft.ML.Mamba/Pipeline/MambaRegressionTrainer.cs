using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a Mamba model to predict a number for a sequence.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this trainer, use [Mamba](xref:Microsoft.ML.MambaCatalog.Mamba*) of `Regression.Trainers`.
///
/// ### Input and Output Columns
/// The label column must be <xref:System.Single>; rows whose label is NaN are skipped. The sequence column must be text, a vector of
/// keys (missing keys have an id of their own), a vector of integers (ids from 0) or a vector of <xref:System.Single> (frames).
/// Empty sequences are legal.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `Score` | <xref:System.Single> | The predicted number, in the unit of the label. |
///
/// ### Trainer Characteristics
/// | | |
/// | -- | -- |
/// | Machine learning task | Regression |
/// | Is normalization required? | No (labels are standardised inside) |
/// | Is caching required? | No |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// As in [MambaMulticlassTrainer](xref:Microsoft.ML.Mamba.MambaMulticlassTrainer), with one output and squared loss.
/// ]]></format>
/// </remarks>
public sealed class MambaRegressionTrainer : IEstimator<MambaRegressionTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaRegressionTrainer(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaRegressionTrainer), options,
            () => new LabelledTask(new RegressionTask(options.ScoreColumnName), options.LabelColumnName));

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
    public MambaRegressionTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Trains a model and validates it on rows of their own.</summary>
    /// <param name="trainData">The rows to train on.</param>
    /// <param name="validationData">The rows to validate on after each epoch; they take the place of <see cref="MambaSequenceOptions.ValidationSet"/>.</param>
    /// <returns>The model.</returns>
    public MambaRegressionTransformer Fit(IDataView trainData, IDataView validationData) => new(_trainer.Fit(trainData, validationData));

    /// <summary>Options of <see cref="MambaRegressionTrainer"/>.</summary>
    public sealed class Options : MambaTrainerOptions
    {
        internal override IEnumerable<(string Property, string Name)> OutputColumns => [(nameof(ScoreColumnName), ScoreColumnName)];
    }
}
