using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// A bidirectional encoder of ids with a masked language model's head: (B, L) → (B, L, VocabSize) raw scores of the id that stands at
/// each position. Of a model of both strands the scores of the reverse complement are those of the sequence read backwards, with
/// complements exchanged. Source: <c>CaduceusForMaskedLM</c> and <c>RCPSLMHead</c> of kuleshov-group/caduceus 0060a6d.
/// State: backbone.* (see <see cref="MambaModel"/>) and lm_head.weight (VocabSize, DModel), which is absent when the head shares the
/// embedding table.
/// </summary>
public sealed class MambaForMaskedLM : nn.Module<SequenceInput, Tensor>
{
    [ComponentName(Name = "backbone")]
    private readonly MambaModel _backbone;

    [ComponentName(Name = "lm_head")]
    private readonly LinearProjection? _head;

    /// <summary>Builds a model with the official initial values.</summary>
    /// <param name="config">The architecture: bidirectional, with a vocabulary.</param>
    /// <param name="tieEmbeddings">Whether the head shares the embedding table.</param>
    /// <param name="seed">Seed of the initial values.</param>
    /// <exception cref="ArgumentException">The architecture is not that of a bidirectional model of ids.</exception>
    public MambaForMaskedLM(MambaConfig config, bool tieEmbeddings, int seed)
        : this(config, tieEmbeddings, new Initialisation(seed))
    {
    }

    internal MambaForMaskedLM(MambaConfig config, bool tieEmbeddings, Initialisation init)
        : base(TorchLibrary.Loaded(nameof(MambaForMaskedLM)))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (!config.Bidirectional || config.VocabSize < 1)
        {
            throw new ArgumentException(
                $"{nameof(MambaForMaskedLM)}: Bidirectional is {config.Bidirectional} and VocabSize is {config.VocabSize}; expected true and ≥ 1.", nameof(config));
        }

        _backbone = new MambaModel(config, init, null);
        _head = tieEmbeddings ? null : new LinearProjection(init.Linear(config.VocabSize, config.DModel), null);
        RegisterComponents();
    }

    /// <summary>Whether the head shares the embedding table.</summary>
    internal bool TiesEmbeddings => _head is null;

    /// <summary>The encoder.</summary>
    public MambaModel Backbone => _backbone;

    /// <summary>Scores of the id at every position.</summary>
    /// <param name="input">Ids.</param>
    /// <returns>(B, L, VocabSize). Rows beyond a sequence's length mean nothing.</returns>
    public override Tensor forward(SequenceInput input)
    {
        using var scope = NewDisposeScope();
        var states = _backbone.EncodeStrands(input, layer: null, mask: null);
        if (!_backbone.Config.ReadsBothStrands)
            return Score(states).MoveToOuterDisposeScope();
        return Strands.Sum(Score(Strands.Aligned(states, input.Lengths)), _backbone.Config).MoveToOuterDisposeScope();
    }

    private Tensor Score(Tensor hidden) =>
        _head?.forward(hidden) ?? nn.functional.linear(hidden, _backbone.EmbeddingTable!);
}
