using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>
/// The truth that <see cref="Kernels.CausalConv1d"/> is compared with: plain loops, sums in double.
/// <code>
/// p[t] = bias + sum_j weight[:, j]·x[t-(W-1)+j],   x[-1], x[-2], … from the initial state or zeros
/// y[t] = silu ? p[t]·sigmoid(p[t]) : p[t]
/// </code>
/// B batch, L length, D channels, W width. Source: <c>causal_conv1d_ref</c> and <c>causal_conv1d_update_ref</c> of
/// Dao-AILab/causal-conv1d at 0d2252d161f25f7907bbd05985c08ab98d255874; here rows are channel-last, and a state is W-1 rows.
/// </summary>
public static unsafe class CausalConv1d
{
    /// <inheritdoc cref="Kernels.CausalConv1d.Forward"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Forward<T>(in CausalConv1dForward<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        a.Require("CausalConv1d.Forward");
        var (batch, length, channels, width) = a.Dims;
        var window = new Window<T>(a.Dims, a.X, a.InitialState);
        for (long b = 0; b < batch; b++)
        {
            for (long c = 0; c < channels; c++)
            {
                for (long t = 0; t < length; t++)
                {
                    var p = window.Sum(a.Weight, a.Bias, b, t, c);
                    a.Y.Row(b * length + t)[c] = T.CreateSaturating(a.Silu ? p * Sigmoid(p) : p);
                }

                for (var i = 0; i < width - 1 && !a.FinalState.IsAbsent; i++)
                {
                    a.FinalState.Row(b * (width - 1) + i)[c] = T.CreateSaturating(window.At(b, length - (width - 1) + i, c));
                }
            }
        }
    }

    /// <inheritdoc cref="Kernels.CausalConv1d.Backward"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Backward<T>(in CausalConv1dBackward<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        a.Require("CausalConv1d.Backward");
        var (batch, length, channels, width) = a.Dims;
        var history = width - 1;
        var window = new Window<T>(a.Dims, a.X, a.InitialState);
        var dweight = new double[width];
        for (long c = 0; c < channels; c++)
        {
            Array.Clear(dweight);
            var dbias = 0.0;
            for (long b = 0; b < batch; b++)
            {
                // Gradients of the window's inputs: entry s belongs to time s - (W-1), so the initial state's come first.
                var dwindow = new double[history + length];
                for (var i = 0; i < history && !a.DFinalState.IsAbsent; i++)
                {
                    dwindow[length + i] = double.CreateSaturating(a.DFinalState.Row(b * history + i)[c]);
                }

                for (long t = 0; t < length; t++)
                {
                    var dp = double.CreateSaturating(a.DY.Row(b * length + t)[c]);
                    if (a.Silu)
                    {
                        var p = window.Sum(a.Weight, a.Bias, b, t, c);
                        dp *= Sigmoid(p) * (1 + p * Sigmoid(-p));
                    }

                    dbias += dp;
                    for (var j = 0; j < width; j++)
                    {
                        dweight[j] += dp * window.At(b, t - history + j, c);
                        dwindow[t + j] += dp * double.CreateSaturating(a.Weight.Row(c)[j]);
                    }
                }

                for (long s = 0; s < history + length; s++)
                {
                    if (s < history && !a.DInitialState.IsAbsent)
                    {
                        a.DInitialState.Row(b * history + s)[c] = T.CreateSaturating(dwindow[s]);
                    }
                    else if (s >= history && !a.DX.IsAbsent)
                    {
                        a.DX.Row(b * length + s - history)[c] = T.CreateSaturating(dwindow[s]);
                    }
                }
            }

            for (var j = 0; j < width && !a.DWeight.IsAbsent; j++)
            {
                a.DWeight.Row(c)[j] = T.CreateSaturating(dweight[j]);
            }

            if (!a.DBias.IsAbsent)
            {
                a.DBias.Pointer[c] = T.CreateSaturating(dbias);
            }
        }
    }

    /// <inheritdoc cref="Kernels.CausalConv1d.Step"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Step<T>(in CausalConv1dStep<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        a.Require("CausalConv1d.Step");
        var (batch, _, channels, width) = a.Dims;
        var window = new Window<T>(a.Dims, a.X, a.State);
        for (long b = 0; b < batch; b++)
        {
            for (long c = 0; c < channels; c++)
            {
                var p = window.Sum(a.Weight, a.Bias, b, 0, c);
                for (var i = 0; i < width - 1; i++)
                {
                    a.State.Row(b * (width - 1) + i)[c] = T.CreateSaturating(window.At(b, i + 1 - (width - 1), c));
                }

                a.Y.Row(b)[c] = T.CreateSaturating(a.Silu ? p * Sigmoid(p) : p);
            }
        }
    }

    private static double Sigmoid(double p) => p >= 0 ? 1 / (1 + Math.Exp(-p)) : Math.Exp(p) / (1 + Math.Exp(p));

    /// <summary>The inputs of each sequence with the W-1 before its start.</summary>
    private readonly struct Window<T>(ConvDims dims, Rows<T> x, Rows<T> initialState)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double At(long b, long t, long c) =>
            t >= 0 ? double.CreateSaturating(x.Row(b * dims.Length + t)[c])
            : initialState.IsAbsent ? 0
            : double.CreateSaturating(initialState.Row(b * dims.History + dims.History + t)[c]);

        public double Sum(Rows<T> weight, Rows<T> bias, long b, long t, long c)
        {
            var sum = bias.IsAbsent ? 0 : double.CreateSaturating(bias.Pointer[c]);
            for (var j = 0; j < dims.Width; j++)
            {
                sum += double.CreateSaturating(weight.Row(c)[j]) * At(b, t - dims.History + j, c);
            }

            return sum;
        }
    }
}
