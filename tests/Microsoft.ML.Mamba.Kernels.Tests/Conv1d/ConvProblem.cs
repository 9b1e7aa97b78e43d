using System.Numerics;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>Inputs of a convolution and gradients of its outputs, channel-last. A null is an absent argument.</summary>
internal sealed record ConvProblem(
    ConvDims Dims, bool Silu, double[] X, double[] Weight, double[]? Bias, double[]? InitialState, double[] DY, double[]? DFinalState)
{
    private delegate void ForwardBody<T>(in CausalConv1dForward<T> a)
        where T : unmanaged;

    private delegate void BackwardBody<T>(in CausalConv1dBackward<T> a)
        where T : unmanaged;

    /// <summary>Random values, with every optional argument or with none.</summary>
    public static ConvProblem Random(Random random, ConvDims dims, bool silu = true, bool bias = true, bool initialState = true, bool dFinalState = true)
    {
        var states = dims.Batch * dims.History * dims.Channels;
        return new ConvProblem(
            dims,
            silu,
            RandomValues.Next(random, dims.Steps * dims.Channels),
            RandomValues.Next(random, dims.Channels * dims.Width, 1),
            bias ? RandomValues.Next(random, dims.Channels) : null,
            initialState ? RandomValues.Next(random, states) : null,
            RandomValues.Next(random, dims.Steps * dims.Channels),
            dFinalState ? RandomValues.Next(random, states) : null);
    }

    /// <summary>The plain loops in double.</summary>
    public ConvResult Reference() => Run<double>(0, Kernels.Reference.CausalConv1d.Forward, Kernels.Reference.CausalConv1d.Backward);

    /// <summary>The plain loops on floats.</summary>
    public ConvResult ReferenceInFloat(int gap = 0) => Run<float>(gap, Kernels.Reference.CausalConv1d.Forward, Kernels.Reference.CausalConv1d.Backward);

    /// <summary>The fast body.</summary>
    /// <param name="threads">Threads.</param>
    /// <param name="gap">Elements between the rows of every argument.</param>
    public ConvResult Fast(int threads = 0, int gap = 0) => Run<float>(
        gap,
        (in CausalConv1dForward<float> a) => CausalConv1d.Forward(a, threads),
        (in CausalConv1dBackward<float> a) => CausalConv1d.Backward(a, threads));

    /// <summary>sum(y·dy) + sum(finalState·dFinalState): what the gradients are of.</summary>
    public double Loss()
    {
        var result = Reference();
        return result.Y.Zip(DY, (a, b) => a * b).Sum() + result.FinalState.Zip(DFinalState ?? new double[result.FinalState.Length], (a, b) => a * b).Sum();
    }

    /// <summary>Steps [from, to) of every sequence, with another initial state and gradient of the final state.</summary>
    public ConvProblem Slice(int from, int to, double[]? initialState, double[]? dFinalState) => this with
    {
        Dims = Dims with { Length = to - from },
        X = Steps(X, from, to),
        DY = Steps(DY, from, to),
        InitialState = initialState,
        DFinalState = dFinalState,
    };

    /// <summary>Steps [from, to) of every sequence of (B, L, D).</summary>
    public double[] Steps(double[] values, int from, int to)
    {
        var (row, sequence) = ((int)Dims.Channels, (int)(Dims.Length * Dims.Channels));
        return [.. Enumerable.Range(0, (int)Dims.Batch).SelectMany(b => values[(b * sequence + from * row)..(b * sequence + to * row)])];
    }

    private ConvResult Run<T>(int gap, ForwardBody<T> forward, BackwardBody<T> backward)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (steps, states, channels) = (Dims.Steps, Dims.Batch * Dims.History, Dims.Channels);
        using var x = new GuardedRows<T>(steps, channels, gap, X);
        using var weight = new GuardedRows<T>(channels, Dims.Width, gap, Weight);
        using var bias = Bias is null ? null : new GuardedRows<T>(1, channels, gap, Bias);
        using var initialState = InitialState is null ? null : new GuardedRows<T>(states, channels, gap, InitialState);
        using var y = new GuardedRows<T>(steps, channels, gap);
        using var finalState = new GuardedRows<T>(states, channels, gap);
        forward(new CausalConv1dForward<T>
        {
            Dims = Dims,
            X = x.Rows,
            Weight = weight.Rows,
            Bias = bias?.Rows ?? default,
            InitialState = initialState?.Rows ?? default,
            Silu = Silu,
            Y = y.Rows,
            FinalState = finalState.Rows,
        });

        using var dy = new GuardedRows<T>(steps, channels, gap, DY);
        using var dFinalState = DFinalState is null ? null : new GuardedRows<T>(states, channels, gap, DFinalState);
        using var dx = new GuardedRows<T>(steps, channels, gap);
        using var dWeight = new GuardedRows<T>(channels, Dims.Width, gap);
        using var dBias = new GuardedRows<T>(1, channels, gap);
        using var dInitialState = new GuardedRows<T>(states, channels, gap);
        backward(new CausalConv1dBackward<T>
        {
            Dims = Dims,
            X = x.Rows,
            Weight = weight.Rows,
            Bias = bias?.Rows ?? default,
            InitialState = initialState?.Rows ?? default,
            Silu = Silu,
            DY = dy.Rows,
            DFinalState = dFinalState?.Rows ?? default,
            DX = dx.Rows,
            DWeight = dWeight.Rows,
            DBias = dBias.Rows,
            DInitialState = dInitialState.Rows,
        });

        return new ConvResult(
            y.Read("y"), finalState.Read("finalState"), dx.Read("dx"), dWeight.Read("dWeight"), dBias.Read("dBias"), dInitialState.Read("dInitialState"));
    }
}
