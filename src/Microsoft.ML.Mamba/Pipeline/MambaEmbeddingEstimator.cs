using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that turns a sequence into a vector of numbers, or each of its positions into one,
/// for any trainer that follows.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this estimator, use [MambaEmbed](xref:Microsoft.ML.MambaCatalog.MambaEmbed*) of `Transforms`.
///
/// ### Input and Output Columns
/// The input column must be text, a vector of keys (missing keys have an id of their own), a vector of integers (ids from 0) or a
/// vector of <xref:System.Single> (frames). Empty sequences are legal: their vector is zero.
///
/// | Output Column Name | Column Type | Description |
/// | -- | -- | -- |
/// | `outputColumnName` | Vector of <xref:System.Single>, size DModel | The pooled hidden states of the sequence (2·DModel for `MeanMax`). |
/// | the same, with `PerPosition` | variable vector of <xref:System.Single>, dimensions (0, DModel) | One vector for each position, one after the other. |
///
/// ### Estimator Characteristics
/// | | |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | Yes; with `Pretrained` only at its schema |
/// | Input column data type | text; vector of keys, integers or <xref:System.Single> |
/// | Output column data type | Vector of <xref:System.Single> |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Training Algorithm Details
/// With `Pretrained`, `Fit` copies the encoder and learns nothing. Without, it learns an encoder from the sequences alone, without
/// labels. A causal encoder predicts the next id or frame at every position. A bidirectional one predicts 15 % of the positions
/// from all others: 80 % of these are hidden, 10 % show the content of another position, 10 % their own. Ids are learnt by
/// cross-entropy, frames by squared error of their standardised values; AdamW, linear warm-up and cosine decay. The weights of
/// the best epoch by validation loss are kept (its metric is the perplexity, or the RMSE). What predicts is dropped in the end.
/// `LabelSmoothing` and class weights have no effect.
/// ]]></format>
/// </remarks>
public sealed class MambaEmbeddingEstimator : IEstimator<MambaEmbeddingTransformer>
{
    private readonly SequenceTrainer _trainer;

    internal MambaEmbeddingEstimator(IHostEnvironment env, Options options) =>
        _trainer = new(env, nameof(MambaEmbeddingEstimator), options,
            () => new EmbeddingTask(options.OutputColumnName, new EmbeddingObjective(options.Layer, options.Normalize, options.PerPosition)));

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _trainer.GetOutputSchema(inputSchema);

    /// <summary>Learns an encoder, or copies the one given. It can be called any number of times; nothing is kept between calls.</summary>
    /// <param name="input">The sequences to learn from; with <see cref="MambaSequenceOptions.Pretrained"/> no row is read.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has a type that cannot be used.</exception>
    /// <exception cref="InvalidOperationException">The rows cannot be learnt from; the message says which and why.</exception>
    /// <exception cref="OperationCanceledException">The context or the options' token was cancelled.</exception>
    public MambaEmbeddingTransformer Fit(IDataView input) => new(_trainer.Fit(input, null));

    /// <summary>Options of <see cref="MambaEmbeddingEstimator"/>.</summary>
    public sealed class Options : MambaSequenceOptions
    {
        /// <summary>The column that the vectors go to. Default "Embedding".</summary>
        public string OutputColumnName { get; set; } = "Embedding";

        /// <summary>
        /// The column with the sequences: text, a vector of keys, a vector of integers (ids from 0) or a vector of
        /// <see cref="float"/> (frames). Null: the one named by <see cref="OutputColumnName"/>. Default "Sequence".
        /// </summary>
        public string? InputColumnName { get; set; } = "Sequence";

        /// <summary>How the states of all positions become one vector. Default <see cref="MambaPooling.Mean"/>; not <see cref="MambaPooling.Attention"/>.</summary>
        public MambaPooling Pooling { get; set; } = MambaPooling.Mean;

        /// <summary>Whether each position has a vector of its own instead; <see cref="Pooling"/> is then not used. Default false.</summary>
        public bool PerPosition { get; set; }

        /// <summary>
        /// The block, from 1 to <see cref="MambaConfig.NLayer"/>, after which the residual stream is read. Null (default): the
        /// result of the encoder, after the last block and its norm.
        /// </summary>
        public int? Layer { get; set; }

        /// <summary>Whether each vector is scaled to length 1, so that products are cosines. Zeros stay zeros. Default false.</summary>
        public bool Normalize { get; set; }

        internal override IEnumerable<(string Property, string Name)> InputColumns => [(nameof(InputColumnName), InputColumnName ?? OutputColumnName)];

        internal override IEnumerable<(string Property, string Name)> OutputColumns => [(nameof(OutputColumnName), OutputColumnName)];

        internal override MambaPooling PoolingChoice => Pooling;

        internal override IEnumerable<string> OwnViolations()
        {
            if (Pooling == MambaPooling.Attention)
                yield return "Pooling is Attention, whose queries only labels could teach; expected Last, First, Mean, Max or MeanMax.";
            var blocks = (Pretrained?.Model ?? Model)?.NLayer ?? int.MaxValue;
            if (Layer < 1 || Layer > blocks)
                yield return $"Layer is {Layer}; expected 1 to NLayer = {blocks}, or null for the encoder's result.";
            if (PerPosition && Training is { ReverseComplementAveraging: true })
                yield return "ReverseComplementAveraging is true; it has no meaning for one vector per position.";
        }
    }
}
