using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Encoder → pooling: one vector for each sequence, (B, L) or (B, L, F) → (B, Features), or the vectors of all positions,
/// (B, l, DModel) with l the length of the longest sequence or more. A sequence of length 0 pools to zeros.
/// State: backbone.* (see <see cref="MambaModel"/>).
/// </summary>
public sealed class MambaForSequenceEmbedding : nn.Module<SequenceInput, Tensor>, ISequenceNetwork
{
    private readonly DropoutSource _dropout;
    private readonly SequencePooling? _pooling;
    private readonly int? _layer;
    private readonly MambaModel _backbone;

    /// <summary>Builds a model with the official initial values.</summary>
    /// <param name="config">The architecture; exactly one of VocabSize and FrameWidth is above 0.</param>
    /// <param name="pooling">How hidden states become one vector, by no parameters of its own; null: they stay one for each position.</param>
    /// <param name="layer">The block, from 1, whose residual stream is read; null: the encoder's result, after the last norm.</param>
    /// <param name="dropout">Chance of a value to be dropped while training, from 0 to below 1.</param>
    /// <param name="seed">Seed of the initial values and of the dropout masks. Torch's global generator is left alone.</param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public MambaForSequenceEmbedding(MambaConfig config, MambaPooling? pooling, int? layer, double dropout, int seed)
        : this(config, pooling, layer, new DropoutSource(dropout, seed), new Initialisation(seed))
    {
    }

    /// <summary>The same with initial values of the caller's choice.</summary>
    internal MambaForSequenceEmbedding(MambaConfig config, MambaPooling? pooling, int? layer, DropoutSource dropout, Initialisation init)
        : base(TorchLibrary.Loaded(nameof(MambaForSequenceEmbedding)))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (pooling == MambaPooling.Attention)
            throw new ArgumentException($"{nameof(MambaForSequenceEmbedding)}: attention pools by queries that a label would have to teach; expected another pooling.", nameof(pooling));
        if (layer < 1 || layer > config.NLayer)
            throw new ArgumentOutOfRangeException(nameof(layer), layer, $"{nameof(MambaForSequenceEmbedding)}: expected 1 to NLayer = {config.NLayer}, or null.");
        _dropout = dropout;
        _backbone = new MambaModel(config, init, _dropout);
        _pooling = pooling is { } kind ? new SequencePooling(kind, config.DModel, init) : null;
        _layer = layer;
        register_module("backbone", _backbone);
    }

    /// <summary>The encoder.</summary>
    public MambaModel Backbone => _backbone;

    /// <summary>Embeds whole sequences.</summary>
    /// <param name="input">Ids or frames, as the architecture says.</param>
    /// <returns>(B, Features), or (B, l, DModel), whose rows beyond a sequence's length mean nothing.</returns>
    public override Tensor forward(SequenceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var inPieces = SequencePieces.Wanted(_backbone, input);
        return inPieces ? InPieces(input, SequencePieces.Length) : Whole(input);
    }

    /// <summary>Starts the sequence of dropout masks again.</summary>
    /// <param name="seed">Seed of the masks.</param>
    public void ReseedDropout(int seed) => _dropout.Reseed(seed);

    /// <summary>The same as <see cref="forward"/>, piece by piece. Causal models only.</summary>
    internal Tensor InPieces(SequenceInput input, long pieceLength) => _pooling is null
        ? SequencePieces.Encode(_backbone, _layer, input, pieceLength)
        : SequencePieces.Pool(_backbone, _pooling, _layer, input, pieceLength);

    private Tensor Whole(SequenceInput input) => _pooling is null
        ? _backbone.Encode(input, _layer, mask: null)
        : _backbone.Pool(_pooling, input, _layer);
}
