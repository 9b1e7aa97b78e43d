using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Two mixers with parameters of their own, one reading each sequence forwards, one backwards within its own length; the two
/// merged. (B, L, DModel) → (B, L, DModel). Source: <c>BiMambaWrapper</c> of kuleshov-group/caduceus 0060a6d; the mean of the two
/// is this library's.
/// State: mamba_fwd.* and mamba_rev.*, each a <see cref="MambaMixer"/>; the second without projections when they are tied.
/// </summary>
internal sealed class BidirectionalMixer : nn.Module
{
    private readonly MambaDirectionMerge _merge;

    [ComponentName(Name = "mamba_fwd")]
    private readonly MambaMixer _forwards;

    [ComponentName(Name = "mamba_rev")]
    private readonly MambaMixer _backwards;

    public BidirectionalMixer(MambaConfig config, Initialisation init)
        : base(nameof(BidirectionalMixer))
    {
        _merge = config.DirectionMerge;
        _forwards = new MambaMixer(config, init);
        _backwards = new MambaMixer(config, init, config.TieDirections ? _forwards.Projections : null);
        RegisterComponents();
    }

    public Tensor Forward(Tensor x, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var forwards = _forwards.forward(x);
        var backwards = SequenceReverse.Apply(_backwards.forward(SequenceReverse.Apply(x, lengths)), lengths);
        var merged = _merge switch
        {
            MambaDirectionMerge.Mean => lerp(forwards, backwards, 0.5),
            MambaDirectionMerge.Sum => forwards.Plus(backwards),
            _ => forwards * backwards,
        };
        return merged.MoveToOuterDisposeScope();
    }
}
