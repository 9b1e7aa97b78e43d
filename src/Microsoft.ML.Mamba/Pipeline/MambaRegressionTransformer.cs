using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(MambaRegressionTransformer), null, typeof(SignatureLoadModel),
    MambaRegressionTransformer.UserName, MambaRegressionTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// A Mamba model trained for regression; see <see cref="MambaRegressionTrainer"/> for its columns. It scores rows in batches, in
/// their order, and may be used from any number of threads. Disposing it frees its weights: what is being scored ends well,
/// what comes later throws <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class MambaRegressionTransformer : ITransformer, IPredictorOwner, IDisposable
{
    internal const string UserName = "Mamba regression model";
    internal const string LoaderSignature = "MambaRegression";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBAREG", LoaderSignature);

    private readonly SequenceScorer _scorer;

    internal MambaRegressionTransformer(SequenceScorer scorer) => _scorer = scorer;

    /// <summary>The architecture, with the vocabulary or frame width that the data had.</summary>
    public MambaConfig Model => _scorer.Predictor.Description.Config;

    /// <summary>What happened in training, epoch by epoch.</summary>
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
    private static MambaRegressionTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(ModelFormat.Load(env, nameof(MambaRegressionTransformer), ctx, Version, RegressionTask.Load));
}
