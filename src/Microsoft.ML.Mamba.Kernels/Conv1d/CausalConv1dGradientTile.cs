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
        var from = Columns<V>(skip, From);
        if (V.Count > Vector128Float.Count)
        {
            from = Columns<Vector128Float>(skip, from);
        }

        Columns<ScalarFloat>(skip, from);
    }

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
        var dp = stackalloc float[(Rows + ConvDims.MaxWidth - 1) * Vector512Float.Count];
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
                for (var j = 0; j < width; j++)
                {
                    var w = TVector.Load(taps + j * stride + c);
                    p0 = TVector.MultiplyAdd(w, TVector.Load(x[j] + c), p0);
                    p1 = TVector.MultiplyAdd(w, TVector.Load(x[j + 1] + c), p1);
                    p2 = TVector.MultiplyAdd(w, TVector.Load(x[j + 2] + c), p2);
                    p3 = TVector.MultiplyAdd(w, TVector.Load(x[j + 3] + c), p3);
                }

                dp0 *= FastMath.SiluDerivative(p0, FastMath.Sigmoid(p0));
                dp1 *= FastMath.SiluDerivative(p1, FastMath.Sigmoid(p1));
                dp2 *= FastMath.SiluDerivative(p2, FastMath.Sigmoid(p2));
                dp3 *= FastMath.SiluDerivative(p3, FastMath.Sigmoid(p3));
            }

            TVector.Store(dp0, dp);
            TVector.Store(dp1, dp + TVector.Count);
            TVector.Store(dp2, dp + 2 * TVector.Count);
            TVector.Store(dp3, dp + 3 * TVector.Count);
            for (var k = 0; k < history; k++)
            {
                TVector.Store(TVector.Load(later + k * stride + c), dp + (Rows + k) * TVector.Count);
            }

            var d0 = TVector.Zero;
            var (d1, d2, d3) = (d0, d0, d0);
            for (var k = 0; k < width; k++)
            {
                var w = TVector.Load(taps + (history - k) * stride + c);
                d0 = TVector.MultiplyAdd(w, TVector.Load(dp + k * TVector.Count), d0);
                d1 = TVector.MultiplyAdd(w, TVector.Load(dp + (k + 1) * TVector.Count), d1);
                d2 = TVector.MultiplyAdd(w, TVector.Load(dp + (k + 2) * TVector.Count), d2);
                d3 = TVector.MultiplyAdd(w, TVector.Load(dp + (k + 3) * TVector.Count), d3);
            }

            TVector.Store(d0, dx[0] + c);
            TVector.Store(d1, dx[1] + c);
            TVector.Store(d2, dx[2] + c);
            TVector.Store(d3, dx[3] + c);

            for (var j = 0; j < width; j++)
            {
                var sum = TVector.Load(sums + j * stride + c);
                sum = TVector.MultiplyAdd(dp0, TVector.Load(x[j] + c), sum);
                sum = TVector.MultiplyAdd(dp1, TVector.Load(x[j + 1] + c), sum);
                sum = TVector.MultiplyAdd(dp2, TVector.Load(x[j + 2] + c), sum);
                sum = TVector.MultiplyAdd(dp3, TVector.Load(x[j + 3] + c), sum);
                TVector.Store(sum, sums + j * stride + c);
            }

            var bias = sums + width * stride + c;
            TVector.Store(TVector.Load(bias) + ((dp0 + dp1) + (dp2 + dp3)), bias);
            for (var k = 0; k < history; k++)
            {
                TVector.Store(TVector.Load(dp + (skip + k) * TVector.Count), later + k * stride + c);
            }
        }

        return c;
    }
}
