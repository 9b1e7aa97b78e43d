using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Trainers and evaluation for one label per position of a sequence; <c>ml.SequenceTagging()</c>.</summary>
public sealed class SequenceTaggingCatalog
{
    private readonly IHostEnvironment _env;

    internal SequenceTaggingCatalog(MLContext context)
    {
        Contracts.CheckValue(context, nameof(context));
        _env = context;
        Trainers = new SequenceTaggingTrainers(_env);
    }

    /// <summary>The trainers.</summary>
    public SequenceTaggingTrainers Trainers { get; }

    /// <summary>Compares the labels that a model gave with the true ones.</summary>
    /// <param name="data">Scored data with its label column.</param>
    /// <param name="labelColumnName">The true labels, in one of the forms that the trainer takes for the model's unit.</param>
    /// <param name="predictedLabelColumnName">The labels given, a vector of keys.</param>
    /// <param name="backgroundLabel">The label that is no segment, such as silence. Null: that of the model's events, or none.</param>
    /// <returns>The metrics. Positions whose label is missing, or is none that the model knows, are left out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or of another type.</exception>
    /// <exception cref="InvalidOperationException">There is no labelled position, or a row has not as many labels as predictions.</exception>
    public SequenceTaggingMetrics Evaluate(
        IDataView data,
        string labelColumnName = DefaultColumnNames.Label,
        string predictedLabelColumnName = DefaultColumnNames.PredictedLabel,
        string? backgroundLabel = null) =>
        new TaggingEvaluation(_env.Register("TaggingEvaluation"), labelColumnName, predictedLabelColumnName, backgroundLabel).Run(data);

    /// <summary>The trainers of <see cref="SequenceTaggingCatalog"/>.</summary>
    public sealed class SequenceTaggingTrainers
    {
        private readonly IHostEnvironment _env;

        internal SequenceTaggingTrainers(IHostEnvironment env) => _env = env;

        /// <summary>Trains a Mamba model to give each position of a sequence, or each word of a text, one of K labels.</summary>
        /// <param name="labelColumnName">The labels, in the form that <paramref name="unit"/> asks for.</param>
        /// <param name="sequenceColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>.</param>
        /// <param name="unit">What labels belong to.</param>
        /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: <see cref="SequenceTokenizer.Bytes"/>.</param>
        /// <param name="epochs">Passes over the training rows.</param>
        /// <returns>The trainer.</returns>
        public MambaTaggingTrainer Mamba(
            string labelColumnName = DefaultColumnNames.Label,
            string sequenceColumnName = "Sequence",
            MambaTagUnit unit = MambaTagUnit.Position,
            SequenceTokenizer? tokenizer = null,
            int epochs = MambaSequenceOptions.DefaultEpochs) =>
            Mamba(new MambaTaggingTrainer.Options
            {
                LabelColumnName = labelColumnName,
                SequenceColumnName = sequenceColumnName,
                Unit = unit,
                Tokenizer = tokenizer,
                Training = new MambaTrainingOptions { Epochs = epochs },
            });

        /// <summary>Trains a Mamba model to give each position of a sequence, or each word of a text, one of K labels, with all options.</summary>
        /// <param name="options">Columns, architecture, training run.</param>
        /// <returns>The trainer.</returns>
        /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
        public MambaTaggingTrainer Mamba(MambaTaggingTrainer.Options options)
        {
            Contracts.CheckValue(options, nameof(options));
            return new MambaTaggingTrainer(_env, options);
        }
    }
}
