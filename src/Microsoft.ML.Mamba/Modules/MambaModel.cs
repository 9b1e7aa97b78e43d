using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// The encoder: ids or frames → NLayer blocks → norm. (B, L) or (B, L, F) → (B, L, DModel).
/// State: embeddings.weight (VocabSize, DModel), or frame_projection.weight (DModel, FrameWidth) and frame_projection.bias (DModel);
/// positions.weight (MaxPositions, DModel) where there are positions; layers.{i}.norm.weight; layers.{i}.mixer.* (see
/// <see cref="MambaMixer"/>) or layers.{i}.mixer.mamba_fwd.* and layers.{i}.mixer.mamba_rev.* (without in_proj and out_proj with
/// TieDirections); norm_f.weight; with LayerNorm layers.{i}.norm.bias and norm_f.bias. Both strands of DNA have the same weights.
/// </summary>
public sealed class MambaModel : nn.Module<SequenceInput, Tensor>
{
    /// <summary>Standard deviation of the initial vectors of ids and positions.</summary>
    internal const double EmbeddingDeviation = 0.02;

    private readonly DropoutSource? _dropout;

    [ComponentName(Name = "embeddings")]
    private readonly VectorTable? _embeddings;

    [ComponentName(Name = "frame_projection")]
    private readonly LinearProjection? _frameProjection;

    [ComponentName(Name = "positions")]
    private readonly VectorTable? _positions;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<MambaBlock> _layers;

    [ComponentName(Name = "norm_f")]
    private readonly ResidualNorm _finalNorm;

    /// <summary>Builds an encoder with the official initial values.</summary>
    /// <param name="config">The architecture; exactly one of VocabSize and FrameWidth is above 0.</param>
    /// <param name="seed">Seed of the initial values: equal seeds give equal weights on every machine.</param>
    /// <exception cref="ArgumentException">The architecture is not valid.</exception>
    public MambaModel(MambaConfig config, int seed)
        : this(config, new Initialisation(seed), null)
    {
    }

    internal MambaModel(MambaConfig config, Initialisation init, DropoutSource? dropout)
        : base(TorchLibrary.Loaded(nameof(MambaModel)))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.ValidateForModel();
        Config = config;
        _dropout = dropout;
        if (config.VocabSize > 0)
            _embeddings = new(init.Normal(EmbeddingDeviation, config.VocabSize, config.DModel));
        else
            _frameProjection = new(init.Linear(config.DModel, config.FrameWidth), Initialisation.Constant(0, config.DModel));
        if (config.MaxPositions > 0)
            _positions = new(init.Normal(EmbeddingDeviation, config.MaxPositions, config.DModel));
        _layers = new(Enumerable.Range(0, config.NLayer).Select(_ => new MambaBlock(config, init)).ToArray());
        _finalNorm = new(config);
        RegisterComponents();
    }

    /// <summary>The architecture.</summary>
    public MambaConfig Config { get; }

    /// <summary>Where the weights are.</summary>
    internal Device Device => _finalNorm.Weight.device;

    /// <summary>
    /// What the blocks' activations and matrix products are computed in; null (the default): the type of the weights. Whatever it is,
    /// A, D, the bias of the step sizes, norms, the scan's state, the residual stream and what leaves the model stay in the weights' type.
    /// </summary>
    internal ScalarType? BlockType { get; set; }

    /// <summary>Computes the blocks in a type from now on, with matrices kept in it: for a causal model that is not trained or saved.</summary>
    internal void ConvertBlocks(ScalarType type)
    {
        ThrowIfBidirectional();
        BlockType = type;
        foreach (var layer in _layers)
            layer.CausalMixer.ConvertMatrices(type);
    }

    /// <summary>The table of id vectors, which a language model's head may share.</summary>
    internal Parameter? EmbeddingTable => _embeddings?.Weight;

    /// <summary>Encodes whole sequences.</summary>
    /// <param name="input">Ids or frames, as the architecture says.</param>
    /// <returns>
    /// (B, L, DModel) after the last norm. Rows beyond a sequence's length are finite, but mean nothing. Of a model of both strands
    /// the mean of the two, so that a position has the states that it has in the reverse complement.
    /// </returns>
    /// <exception cref="ArgumentException">The input is of the other kind.</exception>
    public override Tensor forward(SequenceInput input) => Encode(input, layer: null, mask: null);

    /// <summary>Encodes whole sequences up to a block, with some positions hidden.</summary>
    /// <param name="input">Ids or frames, as the architecture says.</param>
    /// <param name="layer">The block, from 1, after which the residual stream is returned; null: all of them and the last norm.</param>
    /// <param name="mask">The hidden positions, or null.</param>
    /// <returns>(B, L, DModel).</returns>
    internal Tensor Encode(SequenceInput input, int? layer, PositionMask? mask)
    {
        using var scope = NewDisposeScope();
        var states = EncodeStrands(input, layer, mask);
        return (Config.ReadsBothStrands ? Strands.Mean(Strands.Aligned(states, input.Lengths)) : states).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same before strands are brought together: one after the other in the first dimension, (2·B, L, DModel), each read in its
    /// own direction and with its features in their own order. (B, L, DModel) of a model of one strand.
    /// </summary>
    internal Tensor EncodeStrands(SequenceInput input, int? layer, PositionMask? mask)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var stream = new Stream(Embed(input, 0, mask));
        var lengths = Config.ReadsBothStrands ? Strands.Lengths(input.Lengths) : input.Lengths;
        var exchanging = Config.ReverseComplement == MambaReverseComplement.EquivariantExchanging;
        var blocks = layer ?? _layers.Count;
        foreach (var block in _layers.Take(blocks))
        {
            if (exchanging)
                stream.Replace(states => Strands.Reversed(states, lengths));
            stream.Advance(block.Forward(stream.Hidden, stream.Residual, lengths, BlockType), _dropout, training);
        }

        var encoded = Leave(stream, layer);
        return (exchanging && blocks % 2 != 0 ? Strands.Exchanged(encoded) : encoded).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes whole sequences up to a block and pools each; of a model of both strands, each strand for itself and then their mean.</summary>
    internal Tensor Pool(SequencePooling pooling, SequenceInput input, int? layer)
    {
        using var scope = NewDisposeScope();
        var states = EncodeStrands(input, layer, mask: null);
        return (Config.ReadsBothStrands ? Strands.Mean(pooling.forward(states, Strands.Lengths(input.Lengths))) : pooling.forward(states, input.Lengths))
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Encodes a piece of each sequence and carries the state over: pieces one after the other give what one pass over the whole
    /// gives. Causal models only. The state after the piece is that after all L positions, padding included.
    /// </summary>
    /// <param name="input">The piece.</param>
    /// <param name="state">State before the piece; after it when this returns. Null for a piece without past or future.</param>
    /// <returns>(B, L, DModel) after the last norm.</returns>
    /// <exception cref="InvalidOperationException">The model is bidirectional.</exception>
    public Tensor Forward(SequenceInput input, MambaState? state) =>
        state is null ? forward(input) : EncodePiece(input, null, state);

    /// <summary>Encodes a piece of each sequence up to a block; see the public method.</summary>
    internal Tensor EncodePiece(SequenceInput input, int? layer, MambaState state)
    {
        ThrowIfBidirectional();
        using var scope = NewDisposeScope();
        var stream = new Stream(Embed(input, state.Position, null));
        for (var i = 0; i < (layer ?? _layers.Count); i++)
        {
            var (hidden, residual, after) = _layers[i].Forward(stream.Hidden, stream.Residual, state.Layers[i], BlockType);
            state.Replace(i, after);
            stream.Advance((hidden, residual), _dropout, training);
        }

        state.Position += input.Length;
        return Leave(stream, layer).MoveToOuterDisposeScope();
    }

    /// <summary>Whether <see cref="Step"/> takes a single sequence through all blocks in one call of a kernel of the processor.</summary>
    internal bool StepsInOneCall => BlockType is null && Config.Norm == MambaNorm.RmsNorm && Device.type == DeviceType.CPU;

    /// <summary>Encodes one position of each sequence and advances the state in place. Causal models only; not differentiable.</summary>
    /// <param name="input">(B) int64 ids, or (B, F) frames.</param>
    /// <param name="state">State before the position; after it when this returns.</param>
    /// <returns>(B, DModel) after the last norm.</returns>
    /// <exception cref="InvalidOperationException">The model is bidirectional.</exception>
    public Tensor Step(Tensor input, MambaState state)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(state);
        ThrowIfBidirectional();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var hidden = _embeddings?.forward(input) ?? _frameProjection!.forward(input);       // (B, DModel)
        if (_positions is not null)
            hidden = hidden.Plus(_positions.Weight[Config.PositionRow(state.Position)]);
        var residual = zeros_like(hidden);
        if (BlockType is not null || Config.Norm != MambaNorm.RmsNorm || !BlockSteps.TryAdvance(StepInputs(hidden, residual, state)))
        {
            for (var i = 0; i < _layers.Count; i++)
                (hidden, residual) = _layers[i].Step(hidden, residual, state.Layers[i], BlockType);
        }

        state.Position++;
        return _finalNorm.ForwardLast(hidden, residual).MoveToOuterDisposeScope();
    }

    /// <summary>The state before the first position. Causal models only.</summary>
    /// <param name="batch">B.</param>
    /// <exception cref="InvalidOperationException">The model is bidirectional.</exception>
    public MambaState NewState(long batch)
    {
        ThrowIfBidirectional();
        return new MambaState(_layers.Select(layer => BlockType is { } type ? layer.CausalMixer.NewState(batch, type) : layer.CausalMixer.NewState(batch)));
    }

    /// <summary>Prepares steps of a state through the encoder and a language model's head; null where there are no kernels for them.</summary>
    /// <param name="state">The state that they advance.</param>
    /// <param name="head">(VocabSize, DModel).</param>
    internal TokenSteps? PrepareSteps(MambaState state, Tensor head)
    {
        ThrowIfBidirectional();
        if (Config.Norm != MambaNorm.RmsNorm || Device.type != DeviceType.CUDA)
            return null;
        return TokenSteps.TryPrepare(new TokenStepInputs(
            _embeddings!.Weight, StepOperands(state), _finalNorm.Weight, head, Config.DModel, Config.DInner, Config.DConv, Config.DState,
            Config.EffectiveDtRank, Config.NormEpsilon, Config.MixerNormEpsilon));
    }

    /// <summary>Advances a state by prepared steps of its own.</summary>
    /// <param name="steps">What <see cref="PrepareSteps"/> gave for the state.</param>
    /// <param name="ids">The next id of each sequence.</param>
    /// <param name="state">State before the position; after it when this returns.</param>
    /// <returns>(B, VocabSize) scores of what follows.</returns>
    internal Tensor Advance(TokenSteps steps, ReadOnlySpan<int> ids, MambaState state)
    {
        using var noGradient = no_grad();
        using var position = _positions?.Weight[Config.PositionRow(state.Position)];
        var scores = steps.Advance(ids, position);
        state.Position++;
        return scores;
    }

    private BlockStepOperands[] StepOperands(MambaState state) => [.. _layers.Select((layer, i) => layer.StepOperands(state.Layers[i]))];

    private BlockStepInputs StepInputs(Tensor hidden, Tensor residual, MambaState state) => new(
        hidden, residual, StepOperands(state), Config.DModel, Config.DInner, Config.DConv, Config.DState,
        Config.EffectiveDtRank, Config.NormEpsilon, Config.MixerNormEpsilon);

    private Tensor Leave(Stream stream, int? layer) => layer is null
        ? _finalNorm.ForwardLast(stream.Hidden, stream.Residual)
        : stream.Residual is null ? stream.Hidden : stream.Hidden.Plus(stream.Residual);

    /// <summary>(B, L) or (B, L, F) → (B, L, DModel), or (2·B, L, DModel) for both strands.</summary>
    private Tensor Embed(SequenceInput input, long start, PositionMask? mask)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor hidden;
        if (_embeddings is not null)
        {
            hidden = Content(input.Ids
                ?? throw new ArgumentException($"{nameof(MambaModel)}: the batch holds frames; expected ids below VocabSize = {Config.VocabSize}.", nameof(input)), input.Lengths, mask);
        }
        else
        {
            var frames = input.Frames
                ?? throw new ArgumentException($"{nameof(MambaModel)}: the batch holds ids; expected frames (B, L, F) with F = FrameWidth = {Config.FrameWidth}.", nameof(input));
            if (frames.shape[2] != Config.FrameWidth)
                throw new ArgumentException($"{nameof(MambaModel)}: frames have width {frames.shape[2]}; expected FrameWidth = {Config.FrameWidth}.", nameof(input));
            hidden = Hide(_frameProjection!.forward(frames), mask);
        }

        if (_positions is not null)
            hidden = hidden.Plus(PositionVectors(start, input.Length));
        return _dropout is null ? hidden : _dropout.Apply(hidden, training);
    }

    /// <summary>The vectors of ids; for both strands also those of their complements, reversed.</summary>
    private Tensor Content(Tensor ids, int[] lengths, PositionMask? mask)
    {
        var strand = Hide(_embeddings!.forward(ids), mask);
        if (!Config.ReadsBothStrands)
            return strand;
        var other = Hide(_embeddings.forward(Strands.Complements(ids, Config)), mask);
        return cat([strand, SequenceReverse.Apply(other, lengths)]);
    }

    private static Tensor Hide(Tensor content, PositionMask? mask) => mask is null ? content : mask.Apply(content);

    /// <summary>(L, DModel): the vectors of positions start to start + length.</summary>
    private Tensor PositionVectors(long start, long length)
    {
        var table = _positions!.Weight;
        if (start + length <= Config.MaxPositions)
            return table.narrow(0, start, length);
        var positions = new long[length];
        for (var t = 0; t < positions.Length; t++)
            positions[t] = Config.PositionRow(start + t);
        return TableRows.Of(table, tensor(positions).MovedTo(table.device));
    }

    private void ThrowIfBidirectional()
    {
        if (Config.Bidirectional)
        {
            throw new InvalidOperationException(
                $"{nameof(MambaModel)}: a bidirectional model sees the whole sequence and carries no state; build it with Bidirectional = false.");
        }
    }

    /// <summary>What the last block gave and the residual stream before it. Those of earlier blocks are let go at once, so that
    /// memory outside of gradient mode does not grow with the number of blocks.</summary>
    private sealed class Stream(Tensor hidden)
    {
        public Tensor Hidden { get; private set; } = hidden;

        public Tensor? Residual { get; private set; }

        public void Replace(Func<Tensor, Tensor> change)
        {
            using var hidden = Hidden;
            using var residual = Residual;
            Hidden = change(hidden);
            Residual = residual is null ? null : change(residual);
        }

        public void Advance((Tensor Hidden, Tensor Residual) next, DropoutSource? dropout, bool training)
        {
            Hidden.Dispose();
            Residual?.Dispose();
            (Hidden, Residual) = next;
            if (dropout?.Apply(Hidden, training) is { } dropped && !ReferenceEquals(dropped, Hidden))
            {
                Hidden.Dispose();
                Hidden = dropped;
            }
        }
    }
}
