using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(MambaMultilabelTransformer), null, typeof(SignatureLoadModel),
    MambaMultilabelTransformer.UserName, MambaMultilabelTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// A Mamba model trained for multilabel classification; see <see cref="MambaMultilabelTrainer"/> for its columns. It scores rows in batches, in
/// their order, and may be used from any number of threads. Disposing it frees its weights: what is being scored ends well,
/// what comes later throws <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class MambaMultilabelTransformer : ITransformer, IPredictorOwner, IDisposable
{
    internal const string UserName = "Mamba multilabel classification model";
    internal const string LoaderSignature = "MambaMultilabel";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBATAG", LoaderSignature);

    private readonly SequenceScorer _scorer;

    internal MambaMultilabelTransformer(SequenceScorer scorer) => _scorer = scorer;

    /// <summary>The architecture, with the vocabulary or frame width that the data had.</summary>
    public MambaConfig Model => _scorer.Predictor.Description.Config;

    /// <summary>What happened in training, epoch by epoch.</summary>
    public MambaTrainingHistory History => _scorer.Predictor.Description.History;

    /// <summary>The score from which on a sequence is given each tag, in the order of the score column.</summary>
    public IReadOnlyList<float> Thresholds => Array.AsReadOnly(((MultilabelObjective)_scorer.Predictor.Description.Objective).Thresholds.ToArray());

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
    private static MambaMultilabelTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(ModelFormat.Load(env, nameof(MambaMultilabelTransformer), ctx, Version, MultilabelTask.Load));
}
