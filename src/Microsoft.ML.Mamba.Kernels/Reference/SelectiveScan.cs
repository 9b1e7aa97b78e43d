using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>
/// The selective scan in plain loops, with everything between load and store in double. It defines what the fast bodies compute.
/// <code>
/// h[t,c,n] = exp(d[t,c]·A[c,n])·h[t-1,c,n] + d[t,c]·B[t,n]·u[t,c]       d = softplus(delta + bias)
/// y[t,c]   = (sum over n of C[t,n]·h[t,c,n] + D[c]·u[t,c])·silu(z[t,c])
/// </code>
/// t: step of a sequence (L); c: channel (D); n: state (N); every sequence of the batch (B) on its own. B and C are shared by the
/// channels of a group. Source: Gu and Dao, Mamba, section 3.2, Algorithm 2, and <c>selective_scan_ref</c> of state-spaces/mamba at
/// commit e9594ce. Differences: channels are the last axis, and h may start from a given state.
/// </summary>
public static class SelectiveScan
{
    private const string Operation = "Reference.SelectiveScan";

    /// <summary>y and the final state.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="scan">Arguments; checkpoints are not written.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Forward<T>(in SelectiveScanForward<T> scan)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        scan.Require(Operation);
        var dims = scan.Dims;
        var h = new double[dims.State];
        for (long batch = 0; batch < dims.Batch; batch++)
        {
            for (long channel = 0; channel < dims.Channels; channel++)
            {
                Load(scan.InitialState, batch * dims.Channels + channel, h);
                for (var row = batch * dims.Length; row < (batch + 1) * dims.Length; row++)
                {
                    var step = new ScanStep<T>(scan, row, channel);
                    var y = step.Advance(h);
                    Set(scan.Y, row, channel, scan.Z.IsAbsent ? y : y * ScanStep.Silu(step.Z));
                }

                Store(h, scan.FinalState, batch * dims.Channels + channel);
            }
        }
    }

    /// <summary>
    /// Gradients of all inputs by the chain rule, backwards in time; g = gradient of h[t] through y[t] and h[t+1].
    /// <code>
    /// dyp = dy·silu(z)                    dz = dy·(C·h + D·u)·silu'(z)        dD += dyp·u
    /// g  += C·dyp                         dC += dyp·h[t]                      dB += g·d·u
    /// du  = d·(g·B) + D·dyp               dA += g·d·exp(d·A)·h[t-1]
    /// dd  = sum(g·(A·exp(d·A)·h[t-1] + B·u))                                  g  ← g·exp(d·A)
    /// </code>
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="scan">Arguments; checkpoints are not read.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Backward<T>(in SelectiveScanBackward<T> scan)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        scan.Require(Operation);
        var dims = scan.Dims;
        var columns = dims.Groups * dims.State;
        var (db, dc) = (new double[dims.Steps * columns], new double[dims.Steps * columns]);
        var (da, dd, dbias) = (new double[dims.Channels * dims.State], new double[dims.Channels], new double[dims.Channels]);
        for (long batch = 0; batch < dims.Batch; batch++)
        {
            for (long channel = 0; channel < dims.Channels; channel++)
            {
                var firstColumn = channel / dims.ChannelsPerGroup * dims.State;
                var states = States(scan, batch, channel);
                var g = new double[dims.State];
                Load(scan.DFinalState, batch * dims.Channels + channel, g);
                for (var t = dims.Length - 1; t >= 0; t--)
                {
                    var row = batch * dims.Length + t;
                    var step = new ScanStep<T>(scan, row, channel);
                    var gradient = step.Back(
                        scan.DY.IsAbsent ? 0 : Get(scan.DY, row, channel),
                        !scan.Z.IsAbsent,
                        states[t],
                        states[t + 1],
                        g,
                        da.AsSpan((int)channel * dims.State, dims.State),
                        db.AsSpan((int)(row * columns + firstColumn), dims.State),
                        dc.AsSpan((int)(row * columns + firstColumn), dims.State));
                    dd[channel] += gradient.D;
                    dbias[channel] += gradient.Delta;
                    Set(scan.DU, row, channel, gradient.U);
                    Set(scan.DDelta, row, channel, gradient.Delta);
                    Set(scan.DZ, row, channel, gradient.Z);
                }

                Store(g, scan.DInitialState, batch * dims.Channels + channel);
            }
        }

        StoreAll(da, scan.DA);
        StoreAll(db, scan.DB);
        StoreAll(dc, scan.DC);
        StoreAll(dd, scan.DD);
        StoreAll(dbias, scan.DDeltaBias);
    }

    /// <summary>h before every step and after the last one, (L + 1, N), of one channel.</summary>
    private static double[][] States<T>(in SelectiveScanBackward<T> scan, long batch, long channel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dims = scan.Dims;
        var states = new double[dims.Length + 1][];
        var h = new double[dims.State];
        Load(scan.InitialState, batch * dims.Channels + channel, h);
        states[0] = [.. h];
        for (long t = 0; t < dims.Length; t++)
        {
            new ScanStep<T>(scan, batch * dims.Length + t, channel).Advance(h);
            states[t + 1] = [.. h];
        }

        return states;
    }

    internal static unsafe double Get<T>(Rows<T> rows, long row, long column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        double.CreateTruncating(rows.Row(row)[column]);

    internal static unsafe void Set<T>(Rows<T> rows, long row, long column, double value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!rows.IsAbsent)
        {
            rows.Row(row)[column] = T.CreateTruncating(value);
        }
    }

    internal static void Load<T>(Rows<T> rows, long row, double[] values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = rows.IsAbsent ? 0 : Get(rows, row, i);
        }
    }

    internal static void Store<T>(double[] values, Rows<T> rows, long row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            Set(rows, row, i, values[i]);
        }
    }

    private static void StoreAll<T>(double[] values, Rows<T> rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (long row = 0; row < rows.Count; row++)
        {
            for (long column = 0; column < rows.Width; column++)
            {
                Set(rows, row, column, values[row * rows.Width + column]);
            }
        }
    }
}
