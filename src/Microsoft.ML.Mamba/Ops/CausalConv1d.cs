using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Causal depthwise convolution over (B, L, D), channel-last, with an optional SiLU:
/// <code>y[t] = act(bias + sum over j of weight[:, j]·x[t - (W-1) + j])</code>
/// Before the start stand zeros or the inputs of an earlier piece. Source: <c>causal_conv1d_ref</c> of Dao-AILab/causal-conv1d 0d2252d.
/// </summary>
public static class CausalConv1d
{
    /// <summary>Widest filter that every backend takes.</summary>
    public const int MaxWidth = 8;

    /// <summary>Convolves whole sequences. Gradients flow to every tensor operand.</summary>
    /// <param name="x">(B, L, D). Views whose last dimension has stride 1 are taken as they are.</param>
    /// <param name="weight">(D, W), W from 2 to 8.</param>
    /// <param name="bias">(D), or null.</param>
    /// <param name="initial">(B, W-1, D) the inputs before the start, oldest first; null for zeros.</param>
    /// <param name="silu">Whether the result passes through SiLU.</param>
    /// <param name="returnFinalState">Whether the last W-1 inputs are wanted.</param>
    /// <returns>y (B, L, D) and the last W-1 inputs (B, W-1, D), oldest first, null unless asked for.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static (Tensor Y, Tensor? FinalState) Forward(
        Tensor x, Tensor weight, Tensor? bias, Tensor? initial = null, bool silu = true, bool returnFinalState = false)
    {
        const string Op = nameof(CausalConv1d);
        ShapeCheck.Rank(Op, nameof(x), x, "(B, L, D)", 3);
        var channels = x.size(2);
        CheckWeight(Op, weight, bias, channels);
        ShapeCheck.EqualIfGiven(Op, nameof(initial), initial, "(B, W-1, D)", "x and weight", x.size(0), weight.size(1) - 1, channels);
        var backend = KernelBackends.Choose(Op, x);
        var inputs = new ConvInputs(x, weight, bias, initial, silu);
        return backend is IBackwardKernels kernels && AutogradNeed.Any(x, weight, bias, initial)
            ? CausalConv1dFunction.Apply(kernels, inputs, returnFinalState)
            : backend.CausalConv1dForward(inputs, returnFinalState);
    }

    /// <summary>Convolves one position. Not differentiable.</summary>
    /// <param name="state">(B, W-1, D) the inputs before this one, oldest first; contiguous; shifted in place.</param>
    /// <param name="x">(B, D) input of this position.</param>
    /// <param name="weight">(D, W).</param>
    /// <param name="bias">(D), or null.</param>
    /// <param name="silu">Whether the result passes through SiLU.</param>
    /// <returns>y (B, D).</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static Tensor Step(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu = true)
    {
        const string Op = nameof(CausalConv1d);
        ShapeCheck.Rank(Op, nameof(x), x, "(B, D)", 2);
        CheckWeight(Op, weight, bias, x.size(1));
        ShapeCheck.Equal(Op, nameof(state), state, "(B, W-1, D)", "x and weight", x.size(0), weight.size(1) - 1, x.size(1));
        if (!state.is_contiguous())
            throw new ArgumentException($"{Op}: state has strides ({string.Join(", ", state.stride())}); expected a contiguous tensor, since it is updated in place.", nameof(state));
        using var noGradient = no_grad();
        return KernelBackends.Choose(Op, x).CausalConv1dStep(state, x, weight, bias, silu);
    }

    private static void CheckWeight(string op, Tensor weight, Tensor? bias, long channels)
    {
        ShapeCheck.Rank(op, nameof(weight), weight, "(D, W)", 2);
        ShapeCheck.Equal(op, nameof(weight), weight, "(D, W)", "x", channels, weight.size(1));
        if (weight.size(1) is < 2 or > MaxWidth)
            throw new ArgumentException($"{op}: weight has W = {weight.size(1)} taps; expected 2 to {MaxWidth}.", nameof(weight));
        ShapeCheck.EqualIfGiven(op, nameof(bias), bias, "(D)", "x", channels);
    }
}
