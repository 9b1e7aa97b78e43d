using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// What an encoder needs beside itself to learn without labels: (P, DModel) hidden states → (P, VocabSize) scores of ids, by the
/// encoder's own table of id vectors, or → (P, FrameWidth) frames, by a linear layer; and for bidirectional encoders the vector
/// that stands at hidden positions. It is not part of the fitted model.
/// State: mask (DModel), initially 0; bias (VocabSize), initially 0; frames.weight (FrameWidth, DModel) and frames.bias (FrameWidth).
/// </summary>
internal sealed class PretrainingHead : nn.Module<Tensor, Tensor>
{
    private readonly Parameter? _table;

    [ComponentName(Name = "mask")]
    private readonly Parameter? _mask;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    [ComponentName(Name = "frames")]
    private readonly LinearProjection? _frames;

    /// <param name="encoder">The encoder, on the device on which it is going to be trained.</param>
    /// <param name="seed">Seed of the initial values.</param>
    public PretrainingHead(MambaModel encoder, int seed)
        : base(nameof(PretrainingHead))
    {
        var config = encoder.Config;
        _table = encoder.EmbeddingTable;
        if (config.Bidirectional)
            register_parameter("mask", _mask = Initialisation.Constant(0, config.DModel));
        if (_table is not null)
        {
            register_parameter("bias", _bias = Initialisation.Constant(0, config.VocabSize));
        }
        else
        {
            _frames = new LinearProjection(new Initialisation(seed).Linear(config.FrameWidth, config.DModel), Initialisation.Constant(0, config.FrameWidth));
            register_module("frames", _frames);
        }
    }

    /// <summary>What stands at hidden positions; null for causal encoders, which hide nothing.</summary>
    public Parameter? Mask => _mask;

    public override Tensor forward(Tensor hidden) =>
        _frames is not null ? _frames.forward(hidden) : nn.functional.linear(hidden, _table!, _bias);
}
