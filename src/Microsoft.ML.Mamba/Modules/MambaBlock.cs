using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// One block of the residual stream: add, norm, mix. What the previous block's mixer gave and the stream before it travel
/// separately, so that the addition is part of the norm.
/// State: norm.* (see <see cref="ResidualNorm"/>) and mixer.*, a <see cref="MambaMixer"/>, or mixer.mamba_fwd.* and mixer.mamba_rev.* when bidirectional.
/// </summary>
internal sealed class MambaBlock : nn.Module
{
    [ComponentName(Name = "norm")]
    private readonly ResidualNorm _norm;

    [ComponentName(Name = "mixer")]
    private readonly nn.Module _mixer;

    public MambaBlock(MambaConfig config, Initialisation init)
        : base(nameof(MambaBlock))
    {
        _norm = new ResidualNorm(config);
        _mixer = config.Bidirectional ? new BidirectionalMixer(config, init) : new MambaMixer(config, init);
        RegisterComponents();
    }

    /// <summary>The mixer of a causal block.</summary>
    public MambaMixer CausalMixer => (MambaMixer)_mixer;

    /// <param name="hidden">(B, L, DModel) what the previous mixer gave.</param>
    /// <param name="residual">(B, L, DModel) the stream before it, or null for the first block.</param>
    /// <param name="lengths">Real length of each sequence.</param>
    /// <param name="type">What the mixer computes in; null: the type of what comes.</param>
    /// <returns>What this mixer gave, and the stream before it.</returns>
    public (Tensor Hidden, Tensor Residual) Forward(Tensor hidden, Tensor? residual, int[] lengths, ScalarType? type)
    {
        var (normed, stream) = _norm.Forward(hidden, residual, type);
        using (normed)
            return (_mixer is BidirectionalMixer both ? both.Forward(normed, lengths) : CausalMixer.forward(normed), stream);
    }

    /// <summary>The same for a piece of a sequence, with the mixer's state before and after it.</summary>
    public (Tensor Hidden, Tensor Residual, LayerState After) Forward(Tensor hidden, Tensor? residual, LayerState before, ScalarType? type)
    {
        var (normed, stream) = _norm.Forward(hidden, residual, type);
        using (normed)
        {
            var (mixed, after) = CausalMixer.Forward(normed, before, returnState: true);
            return (mixed, stream, after!);
        }
    }

    /// <summary>What a step through a whole stack of blocks needs of this one.</summary>
    public BlockStepOperands StepOperands(LayerState state) => CausalMixer.StepOperands(_norm.Weight, state);

    /// <summary>The same for one position (B, DModel), with the mixer's state advanced in place.</summary>
    public (Tensor Hidden, Tensor Residual) Step(Tensor hidden, Tensor? residual, LayerState state, ScalarType? type)
    {
        var (normed, stream) = _norm.Forward(hidden, residual, type);
        using (normed)
            return (CausalMixer.Step(normed, state), stream);
    }
}
