using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The gradients of four neighbouring steps of <see cref="CausalConv1dBackwardBody"/>, for a block of channels. Pointers are to
/// whole rows; rows that do not exist are rows of zeros (inputs) or discarded (outputs).
/// </summary>
internal readonly unsafe struct CausalConv1dGradientTile<V>
    where V : struct, IFloatVector<V>
{
    private const int Rows = CausalConv1dForwardBody.TileRows;

    /// <summary>W.</summary>
    public int Width { get; init; }

    public bool Silu { get; init; }

    /// <summary>First channel.</summary>
    public long From { get; init; }

    /// <summary>Channel after the last.</summary>
    public long To { get; init; }

    public ConvTaps Taps { get; init; }

    /// <summary>x from W-1 steps before the tile to its last step.</summary>
    public float** X { get; init; }

    public float** DY { get; init; }

    public float** DX { get; init; }

    /// <summary>In and out: dp of the W-1 steps after this tile, then after the next one, which is earlier in time.</summary>
    public float* Later { get; init; }

    /// <summary>A row to write what is not wanted to.</summary>
    public float* Discarded { get; init; }

    /// <summary>In and out: W rows of dweight and one of dbias, which the tile adds to.</summary>
    public float* Sums { get; init; }

    /// <summary>Computes the tile.</summary>
    /// <param name="skip">Steps at its start that do not exist.</param>
    public void Compute(int skip)
    {
        var from = Width == 4 && skip == 0 ? FourTaps(From) : From;
        from = Columns<V>(skip, from);
        if (V.Count > Vector128Float.Count)
        {
            from = Columns<Vector128Float>(skip, from);
        }

        Columns<ScalarFloat>(skip, from);
    }

    /// <summary>
    /// The whole vectors of a whole tile for W = 4, the width of every published model: the same operations in the same order
    /// as <see cref="Columns"/>, with every row read once and kept in a register.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private long FourTaps(long c)
    {
        var (stride, silu) = (Taps.Stride, Silu);
        var x = X;
        var dy = DY;
        var dx = DX;
        for (; c + V.Count <= To; c += V.Count)
        {
            var tap = Taps.Taps + c;
            var (w0, w1, w2, w3) = (V.Load(tap), V.Load(tap + stride), V.Load(tap + 2 * stride), V.Load(tap + 3 * stride));
            var (x0, x1, x2, x3) = (V.Load(x[0] + c), V.Load(x[1] + c), V.Load(x[2] + c), V.Load(x[3] + c));
            var (x4, x5, x6) = (V.Load(x[4] + c), V.Load(x[5] + c), V.Load(x[6] + c));
            var (dp0, dp1, dp2, dp3) = (V.Load(dy[0] + c), V.Load(dy[1] + c), V.Load(dy[2] + c), V.Load(dy[3] + c));
            if (silu)
            {
                var bias = V.Load(tap + 4 * stride);
                dp0 *= SiluDerivative(Dot(w0, x0, w1, x1, w2, x2, w3, x3, bias));
                dp1 *= SiluDerivative(Dot(w0, x1, w1, x2, w2, x3, w3, x4, bias));
                dp2 *= SiluDerivative(Dot(w0, x2, w1, x3, w2, x4, w3, x5, bias));
                dp3 *= SiluDerivative(Dot(w0, x3, w1, x4, w2, x5, w3, x6, bias));
            }

            var sum = Sums + c;
            V.Store(Dot(dp0, x0, dp1, x1, dp2, x2, dp3, x3, V.Load(sum)), sum);
            sum += stride;
            V.Store(Dot(dp0, x1, dp1, x2, dp2, x3, dp3, x4, V.Load(sum)), sum);
            sum += stride;
            V.Store(Dot(dp0, x2, dp1, x3, dp2, x4, dp3, x5, V.Load(sum)), sum);
            sum += stride;
            V.Store(Dot(dp0, x3, dp1, x4, dp2, x5, dp3, x6, V.Load(sum)), sum);
            sum += stride;
            V.Store(V.Load(sum) + ((dp0 + dp1) + (dp2 + dp3)), sum);

            var later = Later + c;
            var (dp4, dp5, dp6) = (V.Load(later), V.Load(later + stride), V.Load(later + 2 * stride));
            V.Store(dp0, later);
            V.Store(dp1, later + stride);
            V.Store(dp2, later + 2 * stride);
            V.Store(Dot(w3, dp0, w2, dp1, w1, dp2, w0, dp3, V.Zero), dx[0] + c);
            V.Store(Dot(w3, dp1, w2, dp2, w1, dp3, w0, dp4, V.Zero), dx[1] + c);
            V.Store(Dot(w3, dp2, w2, dp3, w1, dp4, w0, dp5, V.Zero), dx[2] + c);
            V.Store(Dot(w3, dp3, w2, dp4, w1, dp5, w0, dp6, V.Zero), dx[3] + c);
        }

        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Dot(V a0, V b0, V a1, V b1, V a2, V b2, V a3, V b3, V sum) =>
        V.MultiplyAdd(a3, b3, V.MultiplyAdd(a2, b2, V.MultiplyAdd(a1, b1, V.MultiplyAdd(a0, b0, sum))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SiluDerivative(V p) => FastMath.SiluDerivative(p, FastMath.Sigmoid(p));

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private long Columns<TVector>(int skip, long c)
        where TVector : struct, IFloatVector<TVector>
    {
        var (width, history, stride, silu) = (Width, Width - 1, Taps.Stride, Silu);
        var x = X;
        var dy = DY;
        var dx = DX;
        var taps = Taps.Taps;
        var later = Later;
        var sums = Sums;

        // dp of the tile's steps and of the W-1 after them, one vector each.
        var memory = stackalloc float[(Rows + ConvDims.MaxWidth) * Vector512Float.Count];
        var dp = (float*)(((nint)memory + 63) & ~63);
        var dpEnd = dp + (Rows + history) * TVector.Count;
        for (; c + TVector.Count <= To; c += TVector.Count)
        {
            var dp0 = TVector.Load(dy[0] + c);
            var dp1 = TVector.Load(dy[1] + c);
            var dp2 = TVector.Load(dy[2] + c);
            var dp3 = TVector.Load(dy[3] + c);
            if (silu)
            {
                var p0 = TVector.Load(taps + width * stride + c);
                var (p1, p2, p3) = (p0, p0, p0);
                var tap = taps + c;
                for (var row = x; row < x + width; row++, tap += stride)
                {
                    var w = TVector.Load(tap);
                    p0 = TVector.MultiplyAdd(w, TVector.Load(row[0] + c), p0);
                    p1 = TVector.MultiplyAdd(w, TVector.Load(row[1] + c), p1);
                    p2 = TVector.MultiplyAdd(w, TVector.Load(row[2] + c), p2);
                    p3 = TVector.MultiplyAdd(w, TVector.Load(row[3] + c), p3);
                }

                dp0 *= FastMath.SiluDerivative(p0, FastMath.Sigmoid(p0));
                dp1 *= FastMath.SiluDerivative(p1, FastMath.Sigmoid(p1));
                dp2 *= FastMath.SiluDerivative(p2, FastMath.Sigmoid(p2));
                dp3 *= FastMath.SiluDerivative(p3, FastMath.Sigmoid(p3));
            }

            var target = sums + c;
            for (var row = x; row < x + width; row++, target += stride)
            {
                var sum = TVector.Load(target);
                sum = TVector.MultiplyAdd(dp0, TVector.Load(row[0] + c), sum);
                sum = TVector.MultiplyAdd(dp1, TVector.Load(row[1] + c), sum);
                sum = TVector.MultiplyAdd(dp2, TVector.Load(row[2] + c), sum);
                sum = TVector.MultiplyAdd(dp3, TVector.Load(row[3] + c), sum);
                TVector.Store(sum, target);
            }

            TVector.Store(TVector.Load(target) + ((dp0 + dp1) + (dp2 + dp3)), target);

            TVector.Store(dp0, dp);
            TVector.Store(dp1, dp + TVector.Count);
            TVector.Store(dp2, dp + 2 * TVector.Count);
            TVector.Store(dp3, dp + 3 * TVector.Count);
            var next = later + c;
            for (var to = dp + Rows * TVector.Count; to < dpEnd; to += TVector.Count, next += stride)
            {
                TVector.Store(TVector.Load(next), to);
            }

            var d0 = TVector.Zero;
            var (d1, d2, d3) = (d0, d0, d0);
            var lastTap = taps + history * stride + c;
            for (var from = dp; from < dp + width * TVector.Count; from += TVector.Count, lastTap -= stride)
            {
                var w = TVector.Load(lastTap);
                d0 = TVector.MultiplyAdd(w, TVector.Load(from), d0);
                d1 = TVector.MultiplyAdd(w, TVector.Load(from + TVector.Count), d1);
                d2 = TVector.MultiplyAdd(w, TVector.Load(from + 2 * TVector.Count), d2);
                d3 = TVector.MultiplyAdd(w, TVector.Load(from + 3 * TVector.Count), d3);
            }

            TVector.Store(d0, dx[0] + c);
            TVector.Store(d1, dx[1] + c);
            TVector.Store(d2, dx[2] + c);
            TVector.Store(d3, dx[3] + c);

            next = later + c;
            for (var from = dp + skip * TVector.Count; from < dp + (skip + history) * TVector.Count; from += TVector.Count, next += stride)
            {
                TVector.Store(TVector.Load(from), next);
            }
        }

        return c;
    }
}
