using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(MambaEmbeddingTransformer), null, typeof(SignatureLoadModel),
    MambaEmbeddingTransformer.UserName, MambaEmbeddingTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// A Mamba encoder that embeds sequences; see <see cref="MambaEmbeddingEstimator"/> for its columns. It embeds rows in batches, in
/// their order, and may be used from any number of threads. Disposing it frees its weights: what is being embedded ends well,
/// what comes later throws <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class MambaEmbeddingTransformer : ITransformer, IPredictorOwner, IDisposable
{
    internal const string UserName = "Mamba embedding";
    internal const string LoaderSignature = "MambaEmbedding";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBAEMB", LoaderSignature);

    private readonly SequenceScorer _scorer;

    internal MambaEmbeddingTransformer(SequenceScorer scorer) => _scorer = scorer;

    /// <summary>The architecture, with the vocabulary or frame width that the data had.</summary>
    public MambaConfig Model => _scorer.Predictor.Description.Config;

    /// <summary>How the encoder was learnt, epoch by epoch; empty where that is not known.</summary>
    public MambaTrainingHistory History => _scorer.Predictor.Description.History;

    SequencePredictor IPredictorOwner.Predictor => _scorer.Predictor;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _scorer.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => _scorer.Transform(input);

    /// <inheritdoc/>
    public void Dispose() => _scorer.Dispose();

    bool ITransformer.IsRowToRowMapper => true;

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => _scorer.GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFormat.Save(_scorer, ctx, Version);

    // ML.NET's component catalog finds this by name.
    private static MambaEmbeddingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(ModelFormat.Load(env, nameof(MambaEmbeddingTransformer), ctx, Version, EmbeddingTask.Load));
}
