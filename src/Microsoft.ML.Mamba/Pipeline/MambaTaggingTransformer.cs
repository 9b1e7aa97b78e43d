using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(MambaTaggingTransformer), null, typeof(SignatureLoadModel),
    MambaTaggingTransformer.UserName, MambaTaggingTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// A Mamba model trained for sequence tagging; see <see cref="MambaTaggingTrainer"/> for its columns. It scores rows in batches, in
/// their order, and may be used from any number of threads. Disposing it frees its weights: what is being scored ends well,
/// what comes later throws <see cref="ObjectDisposedException"/>.
/// </summary>
public sealed class MambaTaggingTransformer : ITransformer, IPredictorOwner, IDisposable
{
    internal const string UserName = "Mamba sequence tagging model";
    internal const string LoaderSignature = "MambaTagging";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBASEQ", LoaderSignature);

    private readonly SequenceScorer _scorer;

    internal MambaTaggingTransformer(SequenceScorer scorer) => _scorer = scorer;

    /// <summary>The architecture, with the vocabulary or frame width that the data had.</summary>
    public MambaConfig Model => _scorer.Predictor.Description.Config;

    /// <summary>What happened in training, epoch by epoch.</summary>
    public MambaTrainingHistory History => _scorer.Predictor.Description.History;

    /// <summary>Models of events: the time from one frame to the next, in seconds; frame i is labelled for the moment <see cref="FirstFrame"/> + i · this. 0 for other units.</summary>
    public double FrameHop => Alignment.Hop;

    /// <summary>Models of events: the moment that the label of the first frame is for, in seconds from the beginning. 0 for other units.</summary>
    public double FirstFrame => Alignment.First;

    /// <summary>Models of events: the label of frames outside of all events. Null for other units.</summary>
    public string? BackgroundLabel => Alignment.Unit == MambaTagUnit.Event ? Alignment.Background : null;

    /// <summary>
    /// Begins to label one sequence as it comes: frames of a microphone, letters of a text. The labels are those that the whole
    /// sequence gets. Only for causal models (<c>Model.Bidirectional = false</c>).
    /// </summary>
    /// <returns>The stream, for one thread at a time; any number may be open. It uses this model, which must not be disposed before.</returns>
    /// <exception cref="InvalidOperationException">The model is bidirectional, or was trained with a transition penalty.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public MambaTagStream CreateStream()
    {
        var outputs = (TaggingOutputs)_scorer.Outputs;
        if (outputs.TransitionPenalty > 0)
            throw new InvalidOperationException(FormattableString.Invariant(
                $"CreateStream: the model has a transition penalty of {outputs.TransitionPenalty}, so a label depends on what comes later. Train it with TransitionPenalty = 0."));
        return new(_scorer.Predictor.OpenStream(), _scorer.Encoding, outputs);
    }

    private TagAlignment Alignment => ((TaggingOutputs)_scorer.Outputs).Alignment;

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
    private static MambaTaggingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(ModelFormat.Load(env, nameof(MambaTaggingTransformer), ctx, Version, TaggingOutputs.Load));
}
