using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a Mamba model to give each position of a sequence, or each word of a text, one of K labels.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this trainer, use [Mamba](xref:Microsoft.ML.SequenceTaggingCatalog.SequenceTaggingTrainers.Mamba*) of `SequenceTagging().Trainers`.
///
/// ### Input and Output Columns
/// The sequence column must be text, a vector of keys, a vector of integers (ids from 0) or a vector of <xref:System.Single> (frames).
/// What the label column must be depends on `Unit` ([MambaTagUnit](xref:Microsoft.ML.Mamba.MambaTagUnit)): a vector of keys or a text with one
/// label per position, the same per word of a text, or the events of a recording in seconds. Labels of texts are the names that occur in
/// the training data, in ordinal order. Positions whose label is missing are not learnt from; rows without any label are skipped.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `PredictedLabel` | variable vector of [key](xref:Microsoft.ML.Data.KeyDataViewType) | The most probable label of each position, or of each word (with a `TransitionPenalty`, that of the most probable sequence of labels); key values are the labels. |
/// | `Score` | variable vector of <xref:System.Single>, dimensions (0, K) | The probability of each label, position after position. |
///
/// ### Trainer Characteristics
/// | | |
/// | -- | -- |
/// | Machine learning task | Sequence tagging |
/// | Is normalization required? | No |
/// | Is caching required? | No |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// A stack of selective state space blocks ([Gu and Dao 2023](https://arxiv.org/abs/2312.00752)) reads the sequence in linear time, in both
/// directions unless `Model.Bidirectional` is false; a linear layer classifies each of its states. Cross-entropy over the labelled
/// positions, AdamW, linear warm-up and cosine decay. Sequences longer than `Training.MaxLength` are learnt from in windows of that length
/// which overlap by a quarter; each label counts in one window alone. Scoring cuts nothing: a causal model reads a long sequence in pieces
/// with its state carried over; a bidirectional one reads sequences of up to `ScoringWindow` positions whole and longer ones in windows of
/// that length, of which it drops an eighth at each end that is no end of the sequence. The label of a word sits on its first token.
/// ]]></format>
/// </remarks>
public sealed class MambaTaggingTrainer : IEstimator<MambaTaggingTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaTaggingTrainer(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaTaggingTrainer), options, () => new TaggingTask(new TaggingSettings(options)));

    /// <summary>What ML.NET asks about a trainer: no normalization, no caching.</summary>
    public TrainerInfo Info => SequenceTrainer.Info;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _trainer.GetOutputSchema(inputSchema);

    /// <summary>Trains a model. It can be called any number of times, with any number of labels; nothing is kept between calls.</summary>
    /// <param name="input">The rows to train on.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has a type that cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The rows cannot be trained on; the message says which and why.</exception>
    /// <exception cref="OperationCanceledException">The context or the options' token was cancelled.</exception>
    public MambaTaggingTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Trains a model and validates it on rows of their own.</summary>
    /// <param name="trainData">The rows to train on.</param>
    /// <param name="validationData">The rows to validate on after each epoch; they take the place of <see cref="MambaSequenceOptions.ValidationSet"/>.</param>
    /// <returns>The model.</returns>
    public MambaTaggingTransformer Fit(IDataView trainData, IDataView validationData) => new(_trainer.Fit(trainData, validationData));

    /// <summary>Options of <see cref="MambaTaggingTrainer"/>.</summary>
    public sealed class Options : MambaLabelledOptions
    {
        /// <summary>The column that the predicted keys go to. Default "PredictedLabel".</summary>
        public string PredictedLabelColumnName { get; set; } = DefaultColumnNames.PredictedLabel;

        /// <summary>What labels belong to. Default <see cref="MambaTagUnit.Position"/>.</summary>
        public MambaTagUnit Unit { get; set; } = MambaTagUnit.Position;

        /// <summary>
        /// Events: the time from one frame to the next, in seconds. 0 (default): as the sequence column tells, if it comes from
        /// <c>LogMelFrames</c>.
        /// </summary>
        public double FrameHop { get; set; }

        /// <summary>Events: the time of the middle of the first frame, in seconds. Null (default): as the sequence column tells, or half of the hop.</summary>
        public double? FirstFrame { get; set; }

        /// <summary>Events: the label of frames outside of all events. Default "-".</summary>
        public string BackgroundLabel { get; set; } = "-";

        /// <summary>What "metric" means in validation and early stopping. Default <see cref="MambaTaggingMetric.Accuracy"/>.</summary>
        public MambaTaggingMetric ValidationMetric { get; set; } = MambaTaggingMetric.Accuracy;

        /// <summary>
        /// Positions up to which a bidirectional model scores a sequence whole, at least 8; longer ones go in windows of this length. 0
        /// (default): four times <see cref="MambaTrainingOptions.MaxLength"/>, or 32,768 where that is 0. Causal models need none.
        /// </summary>
        public int ScoringWindow { get; set; }

        /// <summary>
        /// What a change of label from one position (or word) to the next costs, in nats, 0 or more: predicted labels are those of the
        /// sequence with the largest sum of log-probabilities less this for each change (Viterbi 1967), so that long segments are not broken up by
        /// single doubtful positions. The natural logarithm of a segment's usual length is a good first guess. 0 (default): the most probable
        /// label of each position. Scores and the metrics of training do not depend on it. Live labels need 0, because they cannot wait.
        /// </summary>
        public double TransitionPenalty { get; set; }

        /// <summary>
        /// DNA: labels that change places on the other strand, two by two, for example "+", "-" for genes. Used by
        /// <see cref="MambaTrainingOptions.ReverseComplementAugmentation"/>, <see cref="MambaTrainingOptions.ReverseComplementAveraging"/>
        /// and models with <see cref="MambaConfig.ReverseComplement"/>, which also mirror the positions. Null (default): labels stay what they are.
        /// </summary>
        public string[]? OppositeStrandLabels { get; set; }

        /// <summary>
        /// Coarser labels to report in place of some that are learnt, for example "+1", "+2" and "+3", the positions of a codon, all as "+".
        /// Finer labels can teach a model more than coarse ones. The score of a coarse label is the sum of those of its finer ones; the
        /// metrics of training are those of the labels learnt. Labels that it does not name stay. Null (default): the labels learnt.
        /// </summary>
        public IReadOnlyDictionary<string, string>? CoarseLabels { get; set; }

        internal override IEnumerable<(string Property, string Name)> OutputColumns =>
        [
            (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
        ];

        // Nothing is pooled.
        internal override MambaPooling PoolingChoice => MambaPooling.Mean;

        internal override IEnumerable<string> OwnViolations()
        {
            foreach (var violation in base.OwnViolations())
                yield return violation;
            if (!Enum.IsDefined(Unit))
                yield return $"Unit is {Unit}; expected Position, Word or Event.";
            if (!Enum.IsDefined(ValidationMetric))
                yield return $"ValidationMetric is {ValidationMetric}; expected Accuracy or MacroF1.";
            if (!(FrameHop >= 0 && double.IsFinite(FrameHop)))
                yield return FormattableString.Invariant($"FrameHop is {FrameHop}; expected 0 (from the column) or a finite number of seconds above 0.");
            if (FirstFrame is { } first && !double.IsFinite(first))
                yield return FormattableString.Invariant($"FirstFrame is {first}; expected a finite number of seconds, or null.");
            if (Unit != MambaTagUnit.Event && (FrameHop != 0 || FirstFrame is not null))
                yield return "FrameHop or FirstFrame is set; they are for Unit = Event.";
            if (string.IsNullOrWhiteSpace(BackgroundLabel) || BackgroundLabel.Contains(';', StringComparison.Ordinal))
                yield return $"BackgroundLabel is '{BackgroundLabel}'; expected a label without ';'.";
            if (ScoringWindow != 0 && ScoringWindow < Modules.OverlappingWindows.Shortest)
                yield return $"ScoringWindow is {ScoringWindow}; expected 0 (from MaxLength) or at least {Modules.OverlappingWindows.Shortest}.";
            if (!(TransitionPenalty >= 0 && double.IsFinite(TransitionPenalty)))
                yield return FormattableString.Invariant($"TransitionPenalty is {TransitionPenalty}; expected a finite number, 0 or more.");
            if (CoarseLabels is { } coarse && (coarse.Count == 0 || coarse.Values.Any(string.IsNullOrWhiteSpace)))
                yield return "CoarseLabels has no labels, or an empty name; expected names of labels with those to report in their place, or null.";
            if (Unit == MambaTagUnit.Event && CoarseLabels?.GetValueOrDefault(BackgroundLabel, BackgroundLabel) is { } renamed && renamed != BackgroundLabel)
                yield return $"CoarseLabels reports the BackgroundLabel '{BackgroundLabel}' as '{renamed}'; expected it to stay.";
            if (OppositeStrandLabels is { } labels && (labels.Length % 2 != 0 || labels.Distinct(StringComparer.Ordinal).Count() != labels.Length))
                yield return $"OppositeStrandLabels has {string.Join(", ", labels.Select(l => $"'{l}'"))}; expected pairs of different labels.";
        }
    }
}
