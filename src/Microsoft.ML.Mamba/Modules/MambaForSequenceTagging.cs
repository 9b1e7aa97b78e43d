using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Encoder → linear head at every position: raw scores, (B, L) or (B, L, F) → (B, l, Outputs) with l the length of the longest
/// sequence or more. While training, dropout falls on the embedding, on what each mixer adds to the stream, and on the encoder's result.
/// Outside of gradient mode, causal models read long sequences in pieces with the state carried over, and bidirectional ones in
/// windows that overlap, one eighth of a window being dropped at each end that is no end of the sequence.
/// Of an encoder of both strands of DNA, scores are the mean of what the head gives for each, the second's as scores of the classes that
/// are opposite: those of the reverse complement are the same, read backwards and with opposite classes exchanged.
/// State: backbone.* (see <see cref="MambaModel"/>), head.weight (Outputs, DModel) and head.bias (Outputs).
/// </summary>
public sealed class MambaForSequenceTagging : nn.Module<SequenceInput, Tensor>, ISequenceNetwork
{
    private readonly DropoutSource _dropout;
    private readonly MambaModel _backbone;
    private readonly LinearProjection _head;
    private readonly int _window;
    private readonly int[]? _opposite;

    /// <summary>Builds a model with the official initial values.</summary>
    /// <param name="config">The architecture; exactly one of VocabSize and FrameWidth is above 0.</param>
    /// <param name="outputs">Scores per position.</param>
    /// <param name="window">Positions up to which a bidirectional model reads a sequence whole outside of gradient mode, at least 8.</param>
    /// <param name="dropout">Chance of a value to be dropped while training, from 0 to below 1.</param>
    /// <param name="seed">Seed of the initial values and of the dropout masks. Torch's global generator is left alone.</param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public MambaForSequenceTagging(MambaConfig config, int outputs, int window, double dropout, int seed)
        : this(config, outputs, window, new DropoutSource(dropout, seed), new Initialisation(seed))
    {
    }

    /// <summary>The same with initial values of the caller's choice, and the class that each is on the other strand; null: the same.</summary>
    internal MambaForSequenceTagging(MambaConfig config, int outputs, int window, DropoutSource dropout, Initialisation init, int[]? opposite = null)
        : base(TorchLibrary.Loaded(nameof(MambaForSequenceTagging)))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, OverlappingWindows.Shortest);
        _dropout = dropout;
        _window = window;
        _opposite = opposite;
        _backbone = new MambaModel(config, init, _dropout);
        _head = new LinearProjection(init.Linear(outputs, config.DModel), Initialisation.Constant(0, outputs));
        register_module("backbone", _backbone);
        register_module("head", _head);
    }

    /// <summary>The encoder.</summary>
    public MambaModel Backbone => _backbone;

    /// <summary>Scores every position.</summary>
    /// <param name="input">Ids or frames, as the architecture says.</param>
    /// <returns>(B, l, Outputs) raw scores; those beyond a sequence's length mean nothing.</returns>
    public override Tensor forward(SequenceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (SequencePieces.Wanted(_backbone, input))
            return SequencePieces.Map(_backbone, input, SequencePieces.Length, _head.forward);
        if (_backbone.Config.Bidirectional && !is_grad_enabled() && input.Lengths.Append(0).Max() > _window)
            return OverlappingWindows.Map(input, _window, Whole);
        return Whole(input);
    }

    /// <summary>Scores a piece of each sequence and carries the state over. Causal models only.</summary>
    /// <param name="input">The piece.</param>
    /// <param name="state">State before the piece; after it when this returns.</param>
    /// <returns>(B, L, Outputs).</returns>
    /// <exception cref="InvalidOperationException">The model is bidirectional.</exception>
    public Tensor Forward(SequenceInput input, MambaState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var hidden = _backbone.Forward(input, state);
        return _head.forward(hidden);
    }

    /// <summary>Scores one position of each sequence and advances the state in place. Causal models only; not differentiable.</summary>
    /// <param name="input">(B) int64 ids, or (B, F) frames.</param>
    /// <param name="state">State before the position; after it when this returns.</param>
    /// <returns>(B, Outputs).</returns>
    /// <exception cref="InvalidOperationException">The model is bidirectional.</exception>
    public Tensor Step(Tensor input, MambaState state)
    {
        using var noGradient = no_grad();
        using var hidden = _backbone.Step(input, state);
        return _head.Step(hidden);
    }

    /// <summary>Starts the sequence of dropout masks again.</summary>
    /// <param name="seed">Seed of the masks.</param>
    public void ReseedDropout(int seed) => _dropout.Reseed(seed);

    private Tensor Whole(SequenceInput input)
    {
        using var scope = NewDisposeScope();
        if (_opposite is null || !_backbone.Config.ReadsBothStrands)
            return _head.forward(_dropout.Apply(_backbone.forward(input), training)).MoveToOuterDisposeScope();
        var strands = Strands.Aligned(_backbone.EncodeStrands(input, layer: null, mask: null), input.Lengths);   // (2·B, L, DModel)
        var scores = _head.forward(_dropout.Apply(strands, training)).chunk(2);                                  // 2 × (B, L, Outputs)
        using var opposite = tensor(Array.ConvertAll(_opposite, other => (long)other)).MovedTo(strands.device);
        return Strands.Mean(cat([scores[0], scores[1].index_select(-1, opposite)])).MoveToOuterDisposeScope();
    }
}
