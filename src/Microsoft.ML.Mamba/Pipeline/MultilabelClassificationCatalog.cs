using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Trainers and evaluation for several tags per sequence; <c>ml.MultilabelClassification()</c>.</summary>
public sealed class MultilabelClassificationCatalog
{
    private readonly IHostEnvironment _env;

    internal MultilabelClassificationCatalog(MLContext context)
    {
        Contracts.CheckValue(context, nameof(context));
        _env = context;
        Trainers = new MultilabelClassificationTrainers(_env);
    }

    /// <summary>The trainers.</summary>
    public MultilabelClassificationTrainers Trainers { get; }

    /// <summary>Compares the scores and decisions of a model with the true tags.</summary>
    /// <param name="data">Scored data with its label column.</param>
    /// <param name="labelColumnName">The true tags, in one of the forms that the trainer takes.</param>
    /// <param name="scoreColumnName">The scores, Vector of <see cref="float"/> of known size.</param>
    /// <param name="predictedLabelsColumnName">The decisions, Vector of <see cref="bool"/> of the same size.</param>
    /// <param name="separator">What stands between the names of tags in a label column of text.</param>
    /// <returns>The metrics. Rows whose label is missing are left out; names in a text that are no tags of the model are passed over.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or of another type.</exception>
    /// <exception cref="InvalidOperationException">There is no row with a label.</exception>
    public MultilabelClassificationMetrics Evaluate(
        IDataView data,
        string labelColumnName = DefaultColumnNames.Label,
        string scoreColumnName = DefaultColumnNames.Score,
        string predictedLabelsColumnName = "PredictedLabels",
        char separator = ',') =>
        new MultilabelEvaluation(_env.Register("MultilabelEvaluation"), labelColumnName, scoreColumnName, predictedLabelsColumnName, separator).Run(data);

    /// <summary>The trainers of <see cref="MultilabelClassificationCatalog"/>.</summary>
    public sealed class MultilabelClassificationTrainers
    {
        private readonly IHostEnvironment _env;

        internal MultilabelClassificationTrainers(IHostEnvironment env) => _env = env;

        /// <summary>Trains a Mamba model to tell which of K tags a sequence has: none, one, or several.</summary>
        /// <param name="labelColumnName">The tags: a vector of <see cref="bool"/> or <see cref="float"/> of known size, or text with their names between commas.</param>
        /// <param name="sequenceColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>.</param>
        /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: <see cref="SequenceTokenizer.Bytes"/>.</param>
        /// <param name="epochs">Passes over the training rows.</param>
        /// <returns>The trainer.</returns>
        public MambaMultilabelTrainer Mamba(
            string labelColumnName = DefaultColumnNames.Label,
            string sequenceColumnName = "Sequence",
            SequenceTokenizer? tokenizer = null,
            int epochs = MambaSequenceOptions.DefaultEpochs) =>
            Mamba(MambaTrainerOptions.Short<MambaMultilabelTrainer.Options>(labelColumnName, sequenceColumnName, tokenizer, epochs));

        /// <summary>Trains a Mamba model to tell which of K tags a sequence has, with all options.</summary>
        /// <param name="options">Columns, architecture, training run.</param>
        /// <returns>The trainer.</returns>
        /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
        public MambaMultilabelTrainer Mamba(MambaMultilabelTrainer.Options options)
        {
            Contracts.CheckValue(options, nameof(options));
            return new MambaMultilabelTrainer(_env, options);
        }
    }
}
