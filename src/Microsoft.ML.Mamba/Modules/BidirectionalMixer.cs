using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Two mixers with parameters of their own, one reading each sequence forwards, one backwards within its own length; the mean of
/// the two. (B, L, DModel) → (B, L, DModel). After <c>BiMambaWrapper</c> of kuleshov-group/caduceus 0060a6d, which ties the
/// projections of the two and adds them instead.
/// State: mamba_fwd.* and mamba_rev.*, each a <see cref="MambaMixer"/>.
/// </summary>
internal sealed class BidirectionalMixer : nn.Module
{
    [ComponentName(Name = "mamba_fwd")]
    private readonly MambaMixer _forwards;

    [ComponentName(Name = "mamba_rev")]
    private readonly MambaMixer _backwards;

    public BidirectionalMixer(MambaConfig config, Initialisation init)
        : base(nameof(BidirectionalMixer))
    {
        _forwards = new MambaMixer(config, init);
        _backwards = new MambaMixer(config, init);
        RegisterComponents();
    }

    public Tensor Forward(Tensor x, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var forwards = _forwards.forward(x);
        var backwards = SequenceReverse.Apply(_backwards.forward(SequenceReverse.Apply(x, lengths)), lengths);
        return lerp(forwards, backwards, 0.5).MoveToOuterDisposeScope();
    }
}
