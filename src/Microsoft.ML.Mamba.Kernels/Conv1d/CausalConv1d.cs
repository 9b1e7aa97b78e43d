using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The causal depthwise convolution of a Mamba block, with bias and SiLU: every channel is filtered on its own, and an output
/// sees its own and the W-1 earlier inputs only.
/// <code>
/// p[t] = bias + sum_j weight[:, j]·x[t-(W-1)+j],   x[-1], x[-2], … from the initial state or zeros
/// y[t] = silu ? p[t]·sigmoid(p[t]) : p[t]
/// </code>
/// B batch, L length, D channels, W width. Rows are channel-last, as linear layers leave them; a state is the W-1 inputs that
/// the next output sees, oldest first. Source: Mamba paper, figure 3; <c>causal_conv1d_ref</c> of Dao-AILab/causal-conv1d at
/// 0d2252d161f25f7907bbd05985c08ab98d255874, whose states may be longer and channel-first.
/// Results do not depend on the number of threads; a sequence cut in two with the state carried over, or taken step by step,
/// gives the same bits as in one pass.
/// </summary>
public static unsafe class CausalConv1d
{
    /// <summary>Filters B sequences.</summary>
    /// <param name="a">Inputs and outputs.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A size or a shape does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Forward(in CausalConv1dForward<float> a, int threads = 0)
    {
        a.Require("CausalConv1d.Forward");
        SimdWidth.Dispatch(new CausalConv1dForwardBody(a, threads));
    }

    /// <summary>
    /// The gradients of <see cref="Forward"/>. The sums p are computed anew rather than kept.
    /// </summary>
    /// <param name="a">Inputs, gradients of the outputs, and gradients to compute.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A size or a shape does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Backward(in CausalConv1dBackward<float> a, int threads = 0)
    {
        a.Require("CausalConv1d.Backward");
        SimdWidth.Dispatch(new CausalConv1dBackwardBody(a, threads));
    }

    /// <summary>One step of B sequences: the state moves on by one input.</summary>
    /// <param name="a">State, input and output.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A size or a shape does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Step(in CausalConv1dStep<float> a, int threads = 0)
    {
        a.Require("CausalConv1d.Step");
        var forward = new CausalConv1dForward<float>
        {
            Dims = a.Dims,
            X = a.X,
            Weight = a.Weight,
            Bias = a.Bias,
            InitialState = a.State,
            Silu = a.Silu,
            Y = a.Y,
        };
        SimdWidth.Dispatch(new CausalConv1dForwardBody(forward, threads));
        MoveOn(a.State, a.X, a.Dims);
    }

    private static void MoveOn(Rows<float> state, Rows<float> x, ConvDims dims)
    {
        for (long row = 0; row < dims.Batch * dims.History; row++)
        {
            var source = row % dims.History < dims.History - 1 ? state.Row(row + 1) : x.Row(row / dims.History);
            NativeMemory.Copy(source, state.Row(row), (nuint)dims.Channels * sizeof(float));
        }
    }
}
