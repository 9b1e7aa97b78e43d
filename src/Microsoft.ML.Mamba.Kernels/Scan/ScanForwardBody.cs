using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Forward scan for one vector width: packs the parameters and shares the tiles among threads.</summary>
internal readonly struct ScanForwardBody(SelectiveScanForward<float> scan, int threadsAtMost) : IVectorBody
{
    // Below it, as in a single step, waking another thread takes longer than the work: some microseconds.
    private const long UpdatesWorthThreads = 1 << 16;

    public unsafe void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var threads = scan.Dims.Steps * scan.Dims.Channels * scan.Dims.State < UpdatesWorthThreads ? 1 : threadsAtMost;
        var tiles = new ScanTiles(scan.Dims, V.Count);
        var items = scan.Dims.Batch * tiles.PerSequence;
        using var parameters = new ScanParameters(tiles, scan.Dims, scan.A, scan.D, scan.DeltaBias);
        using var scratch = Scratch.Rent((long)KernelThreads.Workers(items, threads) * ScanForwardTile<V>.ScratchLength(scan.Dims));
        KernelThreads.For(items, threads, new ScanForwardTile<V>(scan, tiles, parameters, scratch.Pointer));
    }
}

/// <summary>
/// Forward scan of one tile of channels of one sequence. Lanes are channels, so the sum over the states needs no horizontal step.
/// Block by block of time, in three passes whose data stay in the first-level cache: step sizes, states, gate.
/// </summary>
internal readonly unsafe struct ScanForwardTile<V>(SelectiveScanForward<float> scan, ScanTiles tiles, ScanParameters parameters, float* scratch) : IKernelWork
    where V : struct, IFloatVector<V>
{
    private const int BlockSteps = ScanChunks.Steps;

    /// <summary>Floats per worker: the states of a tile, then a block.</summary>
    public static int ScratchLength(in ScanDims dims) =>
        ScanTiles.WholePages(dims.State * ScanBlock<V>.Width + ScanBlock<V>.ScratchLength);

    public void Run(long item, int worker)
    {
        var dims = scan.Dims;
        var width = tiles.Width;
        var (batch, tile) = (item / tiles.PerSequence, item % tiles.PerSequence);
        var (first, channels) = (tiles.FirstChannel(tile), tiles.Channels(tile));
        var h = scratch + (long)worker * ScratchLength(dims);
        var block = new ScanBlock<V>(h + dims.State * width, first, channels);
        block.ClearStage();

        ScanStates.Load(scan.InitialState, batch * dims.Channels + first, channels, dims.State, width, h);
        for (long t = 0; t < dims.Length; t += BlockSteps)
        {
            var row = batch * dims.Length + t;
            var steps = (int)Math.Min(BlockSteps, dims.Length - t);
            if (!scan.Checkpoints.IsAbsent)
            {
                var checkpoint = ScanChunks.At(scan.Checkpoints, dims, batch, t / ScanChunks.Steps, first);
                ScanStates.CopyRows(h, width, checkpoint, dims.Channels, dims.State, channels);
            }

            block.Prepare(row, steps, scan.U, scan.Delta, parameters.Bias(tile), parameters.Skip(tile), scan.DeltaSoftplus, slope: null);
            Advance(h, block, tile, row, steps);
            block.Finish(row, steps, scan.Z, scan.Y);
        }

        ScanStates.Store(h, width, scan.FinalState, batch * dims.Channels + first, channels, dims.State);
    }

    private void Advance(float* h, in ScanBlock<V> block, long tile, long row, int steps)
    {
        var firstColumn = tiles.Group(tile) * scan.Dims.State;
        for (var pair = 0; pair < block.Padded; pair += 2 * V.Count)
        {
            AdvancePair(
                h + pair, parameters.Decay(tile) + pair, block.D + pair, block.DU + pair, block.Y + pair,
                scan.B.Row(row) + firstColumn, scan.B.Stride, scan.C.Row(row) + firstColumn, scan.C.Stride, tiles.Width, scan.Dims.State, steps);
        }
    }

    // Two vectors at a time share the broadcasts of B and C and hide the latency of the sums.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AdvancePair(
        float* h, float* a, float* d, float* du, float* y, float* b, long bStride, float* c, long cStride, long width, long state, long steps)
    {
        var exp2 = Exp2<V>.Load();
        for (; steps > 0; steps--)
        {
            var d0 = V.Load(d);
            var d1 = V.Load(d + V.Count);
            var du0 = V.Load(du);
            var du1 = V.Load(du + V.Count);
            var y0 = V.Load(y);
            var y1 = V.Load(y + V.Count);
            long offset = 0;
            for (long n = 0; n < state; n++)
            {
                var bn = V.Broadcast(b[n]);
                var h0 = V.MultiplyAdd(exp2.Of(d0 * V.Load(a + offset)), V.Load(h + offset), du0 * bn);
                V.Store(h0, h + offset);
                var h1 = V.MultiplyAdd(exp2.Of(d1 * V.Load(a + offset + V.Count)), V.Load(h + offset + V.Count), du1 * bn);
                V.Store(h1, h + offset + V.Count);
                var cn = V.Broadcast(c[n]);
                y0 = V.MultiplyAdd(h0, cn, y0);
                y1 = V.MultiplyAdd(h1, cn, y1);
                offset += width;
            }

            V.Store(y0, y);
            V.Store(y1, y + V.Count);
            d += width;
            du += width;
            y += width;
            b += bStride;
            c += cStride;
        }
    }
}
