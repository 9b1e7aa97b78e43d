using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The states and decays of a chunk of one tile, recomputed forwards, and the way back through them. In the second-level cache:
/// 128 KB with 512-bit vectors and N = 16.
/// </summary>
internal readonly unsafe struct ScanSweep<V>
    where V : struct, IFloatVector<V>
{
    private readonly int _state;
    private readonly float* _h;
    private readonly float* _decay;
    private readonly float* _lanes;

    public ScanSweep(float* scratch, int state)
    {
        _state = state;
        _h = scratch;
        _decay = _h + (ScanChunks.Steps + 1) * StepLength;
        _lanes = _decay + ScanChunks.Steps * StepLength;
        new Span<float>(_lanes, 2 * state * V.Count).Clear();
    }

    /// <summary>The first address behind the scratch memory.</summary>
    public nint End => (nint)(_lanes + 2 * _state * V.Count);

    private static int Width => ScanTiles.Vectors * V.Count;

    private int StepLength => _state * Width;

    /// <summary>Floats of scratch memory: h before every step and after the last, exp(d·A) of every step, one row of lanes per state for dB and dC.</summary>
    public static long ScratchLength(int state) => ((2L * ScanChunks.Steps + 1) * ScanTiles.Vectors + 2) * V.Count * state;

    /// <summary>Takes the state before the chunk from its checkpoint.</summary>
    public void Begin(float* checkpoint, long stride, int channels)
    {
        if (channels < Width)
        {
            new Span<float>(_h, StepLength).Clear();
        }

        ScanStates.CopyRows(checkpoint, stride, _h, Width, _state, channels);
    }

    /// <summary>Fills in the states and the decays.</summary>
    public void Recompute(in ScanGradientBlock<V> block, float* a, float* b, long bStride, int steps)
    {
        for (var pair = 0; pair < block.Forward.Padded; pair += 2 * V.Count)
        {
            RecomputePair(_h + pair, _decay + pair, a + pair, block.Forward.D + pair, block.Forward.DU + pair, b, bStride, _state, steps);
        }
    }

    /// <summary>
    /// Goes back through the chunk; the formulas are those of <see cref="Reference.SelectiveScan.Backward"/>.
    /// </summary>
    /// <param name="block">d, d·u and dy·silu(z) in; y, g·B and the A sums out.</param>
    /// <param name="a">A·log2(e): N rows.</param>
    /// <param name="b">B of the chunk's first step.</param>
    /// <param name="bStride">Floats to the B of the next step.</param>
    /// <param name="c">C of the chunk's first step.</param>
    /// <param name="cStride">Floats to the C of the next step.</param>
    /// <param name="steps">Steps of the chunk.</param>
    /// <param name="sums">g, then dA: N rows each.</param>
    /// <param name="db">dB of the chunk, (steps, N): added to.</param>
    /// <param name="dc">dC of the chunk, (steps, N): added to.</param>
    public void Back(
        in ScanGradientBlock<V> block, float* a, float* b, long bStride, float* c, long cStride, int steps, float* sums, float* db, float* dc)
    {
        for (var t = steps - 1; t >= 0; t--)
        {
            for (var pair = 0; pair < block.Forward.Padded; pair += 2 * V.Count)
            {
                var at = t * Width + pair;
                BackPair(
                    _h + t * StepLength + pair, _decay + t * StepLength + pair, a + pair, b + t * bStride, c + t * cStride, _state,
                    block.Forward.D + at, block.Forward.DU + at, block.Forward.Y + at, block.DYp + at, block.GB + at, block.QA + at,
                    sums + pair, sums + StepLength + pair, _lanes);
            }

            AddLanes(_lanes, db + t * _state, _state);
            AddLanes(_lanes + _state * V.Count, dc + t * _state, _state);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RecomputePair(float* h, float* decay, float* a, float* d, float* du, float* b, long bStride, long state, long steps)
    {
        var exp = new Exp2Constants<V>(Exp2Table.Address);
        var next = state * Width;
        for (; steps > 0; steps--)
        {
            var d0 = V.Load(d);
            var d1 = V.Load(d + V.Count);
            var du0 = V.Load(du);
            var du1 = V.Load(du + V.Count);
            long at = 0;
            for (long n = 0; n < state; n++)
            {
                var bn = V.Broadcast(b[n]);
                var e0 = exp.Exp2(d0 * V.Load(a + at));
                V.Store(e0, decay + at);
                V.Store(V.MultiplyAdd(e0, V.Load(h + at), du0 * bn), h + at + next);
                var e1 = exp.Exp2(d1 * V.Load(a + at + V.Count));
                V.Store(e1, decay + at + V.Count);
                V.Store(V.MultiplyAdd(e1, V.Load(h + at + V.Count), du1 * bn), h + at + next + V.Count);
                at += Width;
            }

            d += Width;
            du += Width;
            b += bStride;
            h += next;
            decay += next;
        }
    }

    // One step, two vectors of channels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void BackPair(
        float* h, float* decay, float* a, float* b, float* c, long state,
        float* d, float* du, float* y, float* dyp, float* gb, float* qa, float* g, float* da, float* lanes)
    {
        var next = h + state * Width;
        var d0 = V.Load(d);
        var d1 = V.Load(d + V.Count);
        var du0 = V.Load(du);
        var du1 = V.Load(du + V.Count);
        var dy0 = V.Load(dyp);
        var dy1 = V.Load(dyp + V.Count);
        var y0 = V.Load(y);
        var y1 = V.Load(y + V.Count);
        var (gb0, gb1, qa0, qa1) = (V.Zero, V.Zero, V.Zero, V.Zero);
        long at = 0;
        long lane = 0;
        for (long n = 0; n < state; n++)
        {
            var bn = V.Broadcast(b[n]);
            var cn = V.Broadcast(c[n]);
            var h0 = V.Load(next + at);
            var h1 = V.Load(next + at + V.Count);
            var g0 = V.MultiplyAdd(cn, dy0, V.Load(g + at));
            var g1 = V.MultiplyAdd(cn, dy1, V.Load(g + at + V.Count));
            y0 = V.MultiplyAdd(cn, h0, y0);
            y1 = V.MultiplyAdd(cn, h1, y1);
            gb0 = V.MultiplyAdd(bn, g0, gb0);
            gb1 = V.MultiplyAdd(bn, g1, gb1);
            V.Store(V.MultiplyAdd(g1, du1, V.MultiplyAdd(g0, du0, V.Load(lanes + lane))), lanes + lane);
            var dcLanes = lanes + lane + state * V.Count;
            V.Store(V.MultiplyAdd(h1, dy1, V.MultiplyAdd(h0, dy0, V.Load(dcLanes))), dcLanes);
            g0 *= V.Load(decay + at);
            g1 *= V.Load(decay + at + V.Count);
            V.Store(g0, g + at);
            V.Store(g1, g + at + V.Count);
            var q0 = g0 * V.Load(h + at);
            var q1 = g1 * V.Load(h + at + V.Count);
            qa0 = V.MultiplyAdd(q0, V.Load(a + at), qa0);
            qa1 = V.MultiplyAdd(q1, V.Load(a + at + V.Count), qa1);
            V.Store(V.MultiplyAdd(q0, d0, V.Load(da + at)), da + at);
            V.Store(V.MultiplyAdd(q1, d1, V.Load(da + at + V.Count)), da + at + V.Count);
            at += Width;
            lane += V.Count;
        }

        V.Store(y0, y);
        V.Store(y1, y + V.Count);
        V.Store(gb0, gb);
        V.Store(gb1, gb + V.Count);
        V.Store(qa0, qa);
        V.Store(qa1, qa + V.Count);
    }

    /// <summary>Adds the sum of each row of lanes to its place, and clears the row for the next step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddLanes(float* lanes, float* sums, long rows)
    {
        for (long row = 0; row < rows; row++)
        {
            sums[row] += V.Sum(V.Load(lanes));
            V.Store(V.Zero, lanes);
            lanes += V.Count;
        }
    }
}
