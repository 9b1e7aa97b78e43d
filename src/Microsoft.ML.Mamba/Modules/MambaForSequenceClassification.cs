using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Encoder → pooling → linear head: raw scores for each sequence, (B, L) or (B, L, F) → (B, Outputs). A sequence of length 0 pools
/// to zeros, so its scores are the head's bias. While training, dropout falls on the embedding, on what each mixer adds to the
/// stream, and on the pooled vector.
/// State: backbone.* (see <see cref="MambaModel"/>), pooling.queries (4, DModel) for attention, head.weight (Outputs, features) and
/// head.bias (Outputs).
/// </summary>
public sealed class MambaForSequenceClassification : nn.Module<SequenceInput, Tensor>, ISequenceNetwork
{
    /// <summary>
    /// Causal models outside of gradient mode read longer sequences in pieces of this many positions, so that memory does not grow
    /// with the length.
    /// </summary>
    public const int ChunkLength = SequencePieces.Length;

    private readonly DropoutSource _dropout;

    [ComponentName(Name = "backbone")]
    private readonly MambaModel _backbone;

    [ComponentName(Name = "pooling")]
    private readonly SequencePooling _pooling;

    [ComponentName(Name = "head")]
    private readonly LinearProjection _head;

    /// <summary>Builds a model with the official initial values.</summary>
    /// <param name="config">The architecture; exactly one of VocabSize and FrameWidth is above 0.</param>
    /// <param name="pooling">How hidden states become one vector.</param>
    /// <param name="outputs">Scores per sequence.</param>
    /// <param name="dropout">Chance of a value to be dropped while training, from 0 to below 1.</param>
    /// <param name="seed">Seed of the initial values and of the dropout masks. Torch's global generator is left alone.</param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public MambaForSequenceClassification(MambaConfig config, MambaPooling pooling, int outputs, double dropout, int seed)
        : this(config, pooling, outputs, new DropoutSource(dropout, seed), new Initialisation(seed))
    {
    }

    /// <summary>The same with initial values of the caller's choice.</summary>
    internal MambaForSequenceClassification(MambaConfig config, MambaPooling pooling, int outputs, DropoutSource dropout, Initialisation init)
        : base(TorchLibrary.Loaded(nameof(MambaForSequenceClassification)))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        _dropout = dropout;
        _backbone = new MambaModel(config, init, _dropout);
        _pooling = new SequencePooling(pooling, config.DModel, init);
        _head = new LinearProjection(init.Linear(outputs, _pooling.Features), Initialisation.Constant(0, outputs));
        RegisterComponents();
    }

    /// <summary>The encoder.</summary>
    public MambaModel Backbone => _backbone;

    /// <summary>Scores whole sequences.</summary>
    /// <param name="input">Ids or frames, as the architecture says.</param>
    /// <returns>(B, Outputs) raw scores.</returns>
    public override Tensor forward(SequenceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var pooled = SequencePieces.Wanted(_backbone, input)
            ? PoolInPieces(input, ChunkLength)
            : _backbone.Pool(_pooling, input, layer: null);
        return _head.forward(_dropout.Apply(pooled, training)).MoveToOuterDisposeScope();
    }

    /// <summary>Starts the sequence of dropout masks again.</summary>
    /// <param name="seed">Seed of the masks.</param>
    public void ReseedDropout(int seed) => _dropout.Reseed(seed);

    /// <summary>Pools a causal model's hidden states piece by piece, with the state carried over.</summary>
    internal Tensor PoolInPieces(SequenceInput input, long pieceLength) =>
        SequencePieces.Pool(_backbone, _pooling, layer: null, input, pieceLength);
}
