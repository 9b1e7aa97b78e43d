using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The operands of one causal depthwise convolution, as <see cref="CausalConv1d"/> hands them to a backend.</summary>
/// <param name="X">(B, L, D) input, unit inner stride.</param>
/// <param name="Weight">(D, W) one filter per channel, the last column meets the present position.</param>
/// <param name="Bias">(D) or null.</param>
/// <param name="Initial">(B, W-1, D) the inputs before the start, oldest first; null for zeros.</param>
/// <param name="Silu">Whether the result passes through SiLU.</param>
public sealed record ConvInputs(Tensor X, Tensor Weight, Tensor? Bias, Tensor? Initial, bool Silu)
{
    /// <summary>B: sequences in the batch.</summary>
    public long Batch { get; } = X.size(0);

    /// <summary>L: positions of each sequence.</summary>
    public long Length { get; } = X.size(1);

    /// <summary>D: channels.</summary>
    public long Channels { get; } = X.size(2);

    /// <summary>W: taps of each filter.</summary>
    public int Width { get; } = checked((int)Weight.size(1));
}

/// <summary>Gradients of a causal convolution; null where none was asked for.</summary>
public sealed record ConvGradients(Tensor? X, Tensor? Weight, Tensor? Bias, Tensor? Initial);

/// <summary>The operands of a causal convolution whose gradients are wanted.</summary>
[Flags]
public enum ConvOperands
{
    /// <summary>No operand.</summary>
    None = 0,

    /// <summary>The input.</summary>
    X = 1,

    /// <summary>The filters.</summary>
    Weight = 2,

    /// <summary>The bias.</summary>
    Bias = 4,

    /// <summary>The inputs before the start.</summary>
    Initial = 8,
}
