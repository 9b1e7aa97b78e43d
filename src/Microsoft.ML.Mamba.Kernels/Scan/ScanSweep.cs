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
        _lanes = _decay + ScanChunks.Steps * StepLength + LanesOffset;
        new Span<float>(_lanes, PaddedState(state) * Width).Clear();
    }

    // They are stored in the middle of an iteration: half a page away from the rows that are loaded after them (ScanTiles.WholePages).
    private static int LanesOffset => 512;

    private static int Width => ScanBlock<V>.Width;

    private int StepLength => _state * Width;

    /// <summary>N rounded up to whole vectors: floats per step of the sums of dB and of dC.</summary>
    public static int PaddedState(int state) => (state + V.Count - 1) / V.Count * V.Count;

    /// <summary>
    /// Floats of scratch memory: h before every step and after the last, exp(d·A) of every step, and the
    /// lanes of dB and dC.
    /// </summary>
    public static int ScratchLength(int state) => ScanTiles.WholePages(((2 * ScanChunks.Steps + 1) * state + PaddedState(state)) * Width + LanesOffset);

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
        var padded = PaddedState(_state);
        for (var t = steps - 1; t >= 0; t--)
        {
            for (var pair = 0; pair < block.Forward.Padded; pair += 2 * V.Count)
            {
                var at = t * Width + pair;
                BackPair(
                    _h + t * StepLength + pair, _decay + t * StepLength + pair, a + pair, b + t * bStride, c + t * cStride, _state,
                    block.Forward.D + at, block.Forward.DU + at, block.Forward.Y + at, block.DYp + at, block.GB + at, block.QA + at, sums + pair, _lanes);
            }

            for (var n = 0; n < padded; n += V.Count)
            {
                V.AddRowSums(_lanes + n * Width, Width, db + t * padded + n);
                V.AddRowSums(_lanes + n * Width + V.Count, Width, dc + t * padded + n);
            }

            ClearLanes(_lanes, _state);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RecomputePair(float* h, float* decay, float* a, float* d, float* du, float* b, long bStride, long state, long steps)
    {
        var exp2 = Exp2<V>.Load();
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
                var h0 = V.Load(h + at);
                var h1 = V.Load(h + at + V.Count);
                var e0 = exp2.Of(d0 * V.Load(a + at));
                var e1 = exp2.Of(d1 * V.Load(a + at + V.Count));
                V.Store(e0, decay + at);
                V.Store(e1, decay + at + V.Count);
                V.Store(V.MultiplyAdd(e0, h0, du0 * bn), h + at + next);
                V.Store(V.MultiplyAdd(e1, h1, du1 * bn), h + at + next + V.Count);
                at += Width;
            }

            d += Width;
            du += Width;
            b += bStride;
            h += next;
            decay += next;
        }
    }

    // One step, two vectors of channels. h[t] follows h[t-1], and dA follows g, at the same distance; the lanes of dB and dC lie as
    // the rows of h do: few addresses, so that they stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void BackPair(
        float* h, float* decay, float* a, float* b, float* c, long state, float* d, float* du, float* y, float* dyp, float* gb, float* qa, float* g, float* lanes)
    {
        var next = state * Width;
        var d0 = V.Load(d);
        var d1 = V.Load(d + V.Count);
        var du0 = V.Load(du);
        var du1 = V.Load(du + V.Count);
        var dy0 = V.Load(dyp);
        var dy1 = V.Load(dyp + V.Count);
        var y0 = V.Load(y);
        var y1 = V.Load(y + V.Count);
        var gb0 = V.Zero;
        var gb1 = V.Zero;
        var qa0 = V.Zero;
        var qa1 = V.Zero;
        for (long n = 0; n < state; n++)
        {
            var bn = V.Broadcast(b[n]);
            var cn = V.Broadcast(c[n]);
            var h0 = V.Load(h + next);
            var h1 = V.Load(h + next + V.Count);
            var g0 = V.MultiplyAdd(cn, dy0, V.Load(g));
            var g1 = V.MultiplyAdd(cn, dy1, V.Load(g + V.Count));
            y0 = V.MultiplyAdd(cn, h0, y0);
            y1 = V.MultiplyAdd(cn, h1, y1);
            gb0 = V.MultiplyAdd(bn, g0, gb0);
            gb1 = V.MultiplyAdd(bn, g1, gb1);
            V.Store(V.MultiplyAdd(g1, du1, V.MultiplyAdd(g0, du0, V.Load(lanes))), lanes);
            V.Store(V.MultiplyAdd(h1, dy1, V.MultiplyAdd(h0, dy0, V.Load(lanes + V.Count))), lanes + V.Count);
            g0 *= V.Load(decay);
            g1 *= V.Load(decay + V.Count);
            var q0 = g0 * V.Load(h);
            var q1 = g1 * V.Load(h + V.Count);
            qa0 = V.MultiplyAdd(q0, V.Load(a), qa0);
            qa1 = V.MultiplyAdd(q1, V.Load(a + V.Count), qa1);
            q0 = V.MultiplyAdd(q0, d0, V.Load(g + next));
            q1 = V.MultiplyAdd(q1, d1, V.Load(g + next + V.Count));
            V.Store(g0, g);
            V.Store(g1, g + V.Count);
            V.Store(q0, g + next);
            V.Store(q1, g + next + V.Count);
            h += Width;
            decay += Width;
            a += Width;
            g += Width;
            lanes += Width;
        }

        V.Store(y0, y);
        V.Store(y1, y + V.Count);
        V.Store(gb0, gb);
        V.Store(gb1, gb + V.Count);
        V.Store(qa0, qa);
        V.Store(qa1, qa + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ClearLanes(float* lanes, long state)
    {
        for (; state > 0; state--)
        {
            V.Store(V.Zero, lanes);
            V.Store(V.Zero, lanes + V.Count);
            lanes += Width;
        }
    }
}
