using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The selective scan of Mamba, one linear recurrence for every channel and state:
/// <code>
/// h[t] = exp(delta[t]·A)·h[t-1] + delta[t]·B[t]·u[t]
/// y[t] = (C[t]·h[t] + D·u[t])·SiLU(z[t])
/// </code>
/// B batch, L length, D channels, N states, G groups of channels that share B and C. Source: Mamba paper section 3.2, Algorithm 2;
/// <c>selective_scan_ref</c> of state-spaces/mamba e9594ce. Tensors here are channel-last, as linear layers leave them, not (B, D, L).
/// </summary>
public static class SelectiveScan
{
    /// <summary>Runs the scan over whole sequences. Gradients flow to every tensor operand, the initial state included.</summary>
    /// <param name="u">(B, L, D) input. Views whose last dimension has stride 1 are taken as they are.</param>
    /// <param name="delta">(B, L, D) step sizes before <paramref name="deltaBias"/> and softplus.</param>
    /// <param name="a">(D, N) decay rates, negative.</param>
    /// <param name="b">(B, L, N), (B, L, G, N) or (B, L, G·N); or (D, N), the same at every position.</param>
    /// <param name="c">As <paramref name="b"/>.</param>
    /// <param name="d">(D) weights of the skip connection, or null.</param>
    /// <param name="z">(B, L, D) gate, or null.</param>
    /// <param name="deltaBias">(D) added to delta before softplus, or null.</param>
    /// <param name="deltaSoftplus">Whether delta passes through softplus (identity above 20).</param>
    /// <param name="initialState">(B, D, N) state before the first position; null for zeros.</param>
    /// <param name="returnFinalState">Whether the state after the last position is wanted.</param>
    /// <returns>y (B, L, D) and the final state (B, D, N), null unless asked for.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static (Tensor Y, Tensor? FinalState) Forward(
        Tensor u,
        Tensor delta,
        Tensor a,
        Tensor b,
        Tensor c,
        Tensor? d,
        Tensor? z,
        Tensor? deltaBias,
        bool deltaSoftplus,
        Tensor? initialState = null,
        bool returnFinalState = false)
    {
        ArgumentNullException.ThrowIfNull(u);
        ArgumentNullException.ThrowIfNull(delta);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentNullException.ThrowIfNull(c);
        const string Op = nameof(SelectiveScan);
        ShapeCheck.Rank(Op, nameof(u), u, "(B, L, D)", 3);
        ShapeCheck.Rank(Op, nameof(a), a, "(D, N)", 2);
        var (batch, length, channels, state) = (u.size(0), u.size(1), u.size(2), a.size(1));
        ShapeCheck.Equal(Op, nameof(a), a, "(D, N)", "u", channels, state);
        ShapeCheck.Equal(Op, nameof(delta), delta, "(B, L, D)", "u", batch, length, channels);
        ShapeCheck.EqualIfGiven(Op, nameof(z), z, "(B, L, D)", "u", batch, length, channels);
        ShapeCheck.EqualIfGiven(Op, nameof(d), d, "(D)", "u", channels);
        ShapeCheck.EqualIfGiven(Op, nameof(deltaBias), deltaBias, "(D)", "u", channels);
        ShapeCheck.EqualIfGiven(Op, nameof(initialState), initialState, "(B, D, N)", "u and a", batch, channels, state);
        using var scope = NewDisposeScope();
        var perGroupB = PerGroup(nameof(b), b, batch, length, channels, state);
        var perGroupC = PerGroup(nameof(c), c, batch, length, channels, state);
        if (perGroupB.size(2) != perGroupC.size(2))
        {
            throw new ArgumentException($"{Op}: c has {perGroupC.size(2) / state} groups; expected {perGroupB.size(2) / state}, as b has.", nameof(c));
        }

        var backend = KernelBackends.Choose(Op, u);
        var inputs = new ScanInputs(u, delta, a, perGroupB, perGroupC, d, z, deltaBias, initialState, deltaSoftplus);
        if (backend is IBackwardKernels kernels && AutogradNeed.Any(u, delta, a, b, c, d, z, deltaBias, initialState))
        {
            var (y, last) = SelectiveScanFunction.Apply(kernels, inputs, returnFinalState);
            return (y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope());
        }

        var outputs = backend.SelectiveScanForward(inputs, returnFinalState, forBackward: false);
        return (outputs.Y.MoveToOuterDisposeScope(), outputs.FinalState?.MoveToOuterDisposeScope());
    }

    private static Tensor PerGroup(string name, Tensor matrix, long batch, long length, long channels, long state)
    {
        var shape = matrix.shape;
        if (shape.Length == 2 && shape[0] == channels && shape[1] == state)
            return matrix.reshape(1, 1, channels * state).expand(batch, length, channels * state);
        if (shape.Length == 4 && shape[0] == batch && shape[1] == length && shape[3] == state && shape[2] > 0 && channels % shape[2] == 0)
            return matrix.reshape(batch, length, shape[2] * state);
        if (shape.Length == 3 && shape[0] == batch && shape[1] == length && shape[2] > 0 && shape[2] % state == 0 && channels % (shape[2] / state) == 0)
            return matrix;
        throw new ArgumentException(
            $"{nameof(SelectiveScan)}: {name} has shape ({string.Join(", ", shape)}); expected (B, L, N) = ({batch}, {length}, {state}), " +
            $"(B, L, G, N) or (B, L, G·N) with G a divisor of D = {channels}, or (D, N) = ({channels}, {state}).", name);
    }
}
