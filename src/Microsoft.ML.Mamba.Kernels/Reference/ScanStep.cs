using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>One step of one channel: its inputs in double, and the two directions of the recurrence.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal readonly struct ScanStep<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Rows<T> _a;
    private readonly Rows<T> _b;
    private readonly Rows<T> _c;
    private readonly long _row;
    private readonly long _channel;
    private readonly long _firstColumn;
    private readonly double _u;
    private readonly double _rawDelta;
    private readonly double _delta;
    private readonly double _d;
    private readonly bool _softplus;

    public ScanStep(in SelectiveScanForward<T> scan, long row, long channel)
        : this(scan.Dims, scan.U, scan.Delta, scan.A, scan.B, scan.C, scan.D, scan.Z, scan.DeltaBias, scan.DeltaSoftplus, row, channel)
    {
    }

    public ScanStep(in SelectiveScanBackward<T> scan, long row, long channel)
        : this(scan.Dims, scan.U, scan.Delta, scan.A, scan.B, scan.C, scan.D, scan.Z, scan.DeltaBias, scan.DeltaSoftplus, row, channel)
    {
    }

    private ScanStep(
        ScanDims dims, Rows<T> u, Rows<T> delta, Rows<T> a, Rows<T> b, Rows<T> c, Rows<T> d, Rows<T> z, Rows<T> deltaBias, bool softplus, long row, long channel)
    {
        (_a, _b, _c, _row, _channel, _softplus) = (a, b, c, row, channel, softplus);
        _firstColumn = channel / dims.ChannelsPerGroup * dims.State;
        _u = SelectiveScan.Get(u, row, channel);
        _rawDelta = SelectiveScan.Get(delta, row, channel) + (deltaBias.IsAbsent ? 0 : SelectiveScan.Get(deltaBias, 0, channel));
        _delta = softplus ? ScanStep.Softplus(_rawDelta) : _rawDelta;
        _d = d.IsAbsent ? 0 : SelectiveScan.Get(d, 0, channel);
        Z = z.IsAbsent ? 0 : SelectiveScan.Get(z, row, channel);
    }

    /// <summary>The gate before SiLU.</summary>
    public double Z { get; }

    /// <summary>Turns h[t-1] into h[t] and returns y[t] before the gate.</summary>
    public double Advance(double[] h)
    {
        var y = _d * _u;
        for (var n = 0; n < h.Length; n++)
        {
            h[n] = Math.Exp(_delta * A(n)) * h[n] + _delta * B(n) * _u;
            y += C(n) * h[n];
        }

        return y;
    }

    /// <summary>Turns g, the gradient of h[t] from the later steps, into that of h[t-1]; adds to dA, dB, dC.</summary>
    public (double U, double Delta, double Z, double D) Back(
        double dy, bool gated, double[] previous, double[] h, double[] g, Span<double> da, Span<double> db, Span<double> dc)
    {
        var dyp = gated ? dy * ScanStep.Silu(Z) : dy;
        var (ungated, du, ddelta) = (_d * _u, _d * dyp, 0.0);
        for (var n = 0; n < h.Length; n++)
        {
            var decay = Math.Exp(_delta * A(n));
            ungated += C(n) * h[n];
            g[n] += C(n) * dyp;
            dc[n] += dyp * h[n];
            db[n] += g[n] * _delta * _u;
            da[n] += g[n] * _delta * decay * previous[n];
            du += g[n] * _delta * B(n);
            ddelta += g[n] * (A(n) * decay * previous[n] + B(n) * _u);
            g[n] *= decay;
        }

        return (
            du,
            _softplus ? ddelta * ScanStep.SoftplusDerivative(_rawDelta) : ddelta,
            gated ? dy * ungated * ScanStep.SiluDerivative(Z) : 0,
            dyp * _u);
    }

    private double A(int n) => SelectiveScan.Get(_a, _channel, n);

    private double B(int n) => SelectiveScan.Get(_b, _row, _firstColumn + n);

    private double C(int n) => SelectiveScan.Get(_c, _row, _firstColumn + n);
}

/// <summary>The elementary functions of a step, in double.</summary>
internal static class ScanStep
{
    private const double SoftplusLinearAbove = 20;

    public static double Softplus(double x) => x > SoftplusLinearAbove ? x : LogOnePlus(Math.Exp(x));

    public static double SoftplusDerivative(double x) => x > SoftplusLinearAbove ? 1 : Sigmoid(x);

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    public static double Silu(double x) => x * Sigmoid(x);

    public static double SiluDerivative(double x) => Sigmoid(x) * (1 + x * (1 - Sigmoid(x)));

    /// <summary>ln(1 + t) to full precision for small t too: the rounding error of 1 + t cancels in the quotient (Kahan).</summary>
    public static double LogOnePlus(double t)
    {
        var sum = 1 + t;
        return sum == 1 ? t : Math.Log(sum) * t / (sum - 1);
    }
}
