using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// A causal encoder of ids with a language model's head: (B, L) → (B, L, VocabSize) raw scores of the next id.
/// State: backbone.* (see <see cref="MambaModel"/>) and lm_head.weight (VocabSize, DModel), which is absent when the head shares the
/// embedding table.
/// </summary>
public sealed class MambaForCausalLM : nn.Module<SequenceInput, Tensor>
{
    [ComponentName(Name = "backbone")]
    private readonly MambaModel _backbone;

    [ComponentName(Name = "lm_head")]
    private readonly LinearProjection? _head;

    /// <summary>Builds a model with the official initial values.</summary>
    /// <param name="config">The architecture: causal, with a vocabulary.</param>
    /// <param name="tieEmbeddings">Whether the head shares the embedding table.</param>
    /// <param name="seed">Seed of the initial values.</param>
    /// <exception cref="ArgumentException">The architecture is not that of a causal model of ids.</exception>
    public MambaForCausalLM(MambaConfig config, bool tieEmbeddings, int seed)
        : this(config, tieEmbeddings, new Initialisation(seed))
    {
    }

    internal MambaForCausalLM(MambaConfig config, bool tieEmbeddings, Initialisation init)
        : base(TorchLibrary.Loaded(nameof(MambaForCausalLM)))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Bidirectional || config.VocabSize < 1)
        {
            throw new ArgumentException(
                $"{nameof(MambaForCausalLM)}: Bidirectional is {config.Bidirectional} and VocabSize is {config.VocabSize}; expected false and ≥ 1.", nameof(config));
        }

        _backbone = new MambaModel(config, init, null);
        _head = tieEmbeddings ? null : new LinearProjection(init.Linear(config.VocabSize, config.DModel), null);
        RegisterComponents();
    }

    /// <summary>Whether the head shares the embedding table.</summary>
    internal bool TiesEmbeddings => _head is null;

    /// <summary>The encoder.</summary>
    public MambaModel Backbone => _backbone;

    /// <summary>Scores of the next id at every position.</summary>
    /// <param name="input">Ids.</param>
    /// <returns>(B, L, VocabSize).</returns>
    public override Tensor forward(SequenceInput input) => Forward(input, null);

    /// <summary>The same for a piece of each sequence, with the state carried over.</summary>
    /// <param name="input">Ids.</param>
    /// <param name="state">State before the piece; after it when this returns. Null for none.</param>
    public Tensor Forward(SequenceInput input, MambaState? state)
    {
        using var hidden = _backbone.Forward(input, state);
        return Score(hidden);
    }

    /// <summary>The same for one position, with the state advanced in place. Not differentiable.</summary>
    /// <param name="ids">(B) int64.</param>
    /// <param name="state">State before the position; after it when this returns.</param>
    /// <returns>(B, VocabSize).</returns>
    public Tensor Step(Tensor ids, MambaState state)
    {
        using var noGradient = no_grad();
        using var hidden = _backbone.Step(ids, state);
        return _head?.Step(hidden) ?? LinearProjection.Step(hidden, _backbone.EmbeddingTable!);
    }

    /// <summary>Prepares steps of a state; null where <see cref="Step"/> has to do.</summary>
    internal TokenSteps? PrepareSteps(MambaState state) => _backbone.PrepareSteps(state, _head?.Weight ?? _backbone.EmbeddingTable!);

    private Tensor Score(Tensor hidden) =>
        _head?.forward(hidden) ?? nn.functional.linear(hidden, _backbone.EmbeddingTable!);
}
