using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>One position of the selective scan, for recurrent use: constant time and memory whatever came before. Not differentiable.</summary>
public static class SelectiveStateUpdate
{
    /// <summary>Advances the state by one position.</summary>
    /// <param name="state">(B, D, N), contiguous; updated in place.</param>
    /// <param name="x">(B, D) input of this position.</param>
    /// <param name="delta">(B, D) step sizes before bias and softplus.</param>
    /// <param name="a">(D, N) decay rates, negative; with <paramref name="aIsLog"/> their logarithms, ln(-A).</param>
    /// <param name="b">(B, G·N).</param>
    /// <param name="c">(B, G·N).</param>
    /// <param name="d">(D) weights of the skip connection, or null.</param>
    /// <param name="z">(B, D) gate, or null.</param>
    /// <param name="deltaBias">(D), or null.</param>
    /// <param name="deltaSoftplus">Whether delta passes through softplus.</param>
    /// <param name="aIsLog">Whether <paramref name="a"/> holds logarithms, as the parameter does.</param>
    /// <returns>y (B, D).</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static Tensor Step(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog = false)
    {
        const string Op = nameof(SelectiveStateUpdate);
        ShapeCheck.Rank(Op, nameof(state), state, "(B, D, N)", 3);
        var (batch, channels, n) = (state.size(0), state.size(1), state.size(2));
        ShapeCheck.Equal(Op, nameof(x), x, "(B, D)", "state", batch, channels);
        ShapeCheck.Equal(Op, nameof(delta), delta, "(B, D)", "state", batch, channels);
        ShapeCheck.Equal(Op, nameof(a), a, "(D, N)", "state", channels, n);
        ShapeCheck.EqualIfGiven(Op, nameof(d), d, "(D)", "state", channels);
        ShapeCheck.EqualIfGiven(Op, nameof(z), z, "(B, D)", "state", batch, channels);
        ShapeCheck.EqualIfGiven(Op, nameof(deltaBias), deltaBias, "(D)", "state", channels);
        ShapeCheck.Rank(Op, nameof(b), b, "(B, G·N)", 2);
        if (b.size(1) == 0 || b.size(1) % n != 0 || channels % (b.size(1) / n) != 0)
        {
            throw new ArgumentException(
                $"{Op}: b has shape ({string.Join(", ", b.shape)}); expected (B, G·N) with N = {n} and G a divisor of D = {channels}.", nameof(b));
        }

        ShapeCheck.Equal(Op, nameof(b), b, "(B, G·N)", "state", batch, b.size(1));
        ShapeCheck.Equal(Op, nameof(c), c, "(B, G·N)", "b", batch, b.size(1));
        if (!state.is_contiguous())
            throw new ArgumentException($"{Op}: state has strides ({string.Join(", ", state.stride())}); expected a contiguous tensor, since it is updated in place.", nameof(state));
        using var noGradient = no_grad();
        return KernelBackends.Choose(Op, x).SelectiveStateStep(state, x, delta, a, b, c, d, z, deltaBias, deltaSoftplus, aIsLog);
    }
}
