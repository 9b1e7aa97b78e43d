namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Backward scan of one run of tiles of one sequence, chunk by chunk from the end: recompute the states of the chunk from its
/// checkpoint, then go back through it. Lanes are channels.
/// </summary>
internal readonly unsafe struct ScanBackwardRun<V>(
    SelectiveScanBackward<float> scan, Rows<float> dy, ScanTiles tiles, ScanTileRuns runs, ScanParameters parameters, ScanPartials partials, float* scratch)
    : IKernelWork
    where V : struct, IFloatVector<V>
{
    private const int ChunkSteps = ScanChunks.Steps;

    private static int Width => ScanBlock<V>.Width;

    /// <summary>Floats per worker.</summary>
    public static long ScratchLength(in ScanDims dims, in ScanTileRuns runs) =>
        runs.Tiles * TileLength(dims) + ScanSweep<V>.ScratchLength(dims.State) + ScanTiles.WholePages(ScanGradientBlock<V>.ScratchLength + SumsLength(dims));

    public void Run(long item, int worker)
    {
        var dims = scan.Dims;
        var (batch, run) = (item / runs.PerSequence, item % runs.PerSequence);
        var tileSums = scratch + worker * ScratchLength(dims, runs);
        var sweep = new ScanSweep<V>(tileSums + runs.Tiles * TileLength(dims), dims.State);
        var block = tileSums + runs.Tiles * TileLength(dims) + ScanSweep<V>.ScratchLength(dims.State);
        var db = block + ScanGradientBlock<V>.ScratchLength;
        var dc = db + ChunkSteps * ScanSweep<V>.PaddedState(dims.State);

        for (var i = 0; i < runs.TilesOf(run); i++)
        {
            Begin(tileSums + i * TileLength(dims), batch, runs.FirstTile(run) + i);
        }

        for (var chunk = ScanChunks.Count(dims) - 1; chunk >= 0; chunk--)
        {
            new Span<float>(db, SumsLength(dims)).Clear();
            for (var i = 0; i < runs.TilesOf(run); i++)
            {
                BackOneChunk(tileSums + i * TileLength(dims), sweep, block, batch, chunk, runs.FirstTile(run) + i, db, dc);
            }

            var (first, steps) = (chunk * ChunkSteps, Steps(chunk));
            Store(db, partials.DB(batch, run), first, steps);
            Store(dc, partials.DC(batch, run), first, steps);
        }

        for (var i = 0; i < runs.TilesOf(run); i++)
        {
            End(tileSums + i * TileLength(dims), batch, runs.FirstTile(run) + i);
        }
    }

    /// <summary>Per tile: g and dA (N rows each), dD and the bias gradient (one row each).</summary>
    private static int TileLength(in ScanDims dims) => ScanTiles.WholePages((2 * dims.State + 2) * Width);

    /// <summary>dB and dC of a chunk.</summary>
    private static int SumsLength(in ScanDims dims) => 2 * ChunkSteps * ScanSweep<V>.PaddedState(dims.State);

    private int Steps(long chunk) => (int)Math.Min(ChunkSteps, scan.Dims.Length - chunk * ChunkSteps);

    private void Begin(float* sums, long batch, long tile)
    {
        var (first, channels) = (tiles.FirstChannel(tile), tiles.Channels(tile));
        new Span<float>(sums, TileLength(scan.Dims)).Clear();
        ScanStates.Load(scan.DFinalState, batch * scan.Dims.Channels + first, channels, scan.Dims.State, Width, sums);
    }

    private void BackOneChunk(float* sums, in ScanSweep<V> sweep, float* scratchBlock, long batch, long chunk, long tile, float* db, float* dc)
    {
        var dims = scan.Dims;
        var (first, channels, steps) = (tiles.FirstChannel(tile), tiles.Channels(tile), Steps(chunk));
        var row = batch * dims.Length + chunk * ChunkSteps;
        var firstColumn = tiles.Group(tile) * dims.State;
        var block = new ScanGradientBlock<V>(scratchBlock, first, channels);
        block.Forward.ClearStage();

        block.Prepare(scan, dy, row, steps, parameters.Bias(tile), parameters.Skip(tile));
        sweep.Begin(ScanChunks.At(scan.Checkpoints, dims, batch, chunk, first), dims.Channels, channels);
        sweep.Recompute(block, parameters.Decay(tile), scan.B.Row(row) + firstColumn, scan.B.Stride, steps);
        sweep.Back(
            block, parameters.Decay(tile), scan.B.Row(row) + firstColumn, scan.B.Stride, scan.C.Row(row) + firstColumn, scan.C.Stride, steps, sums, db, dc);
        block.Finish(scan, row, steps, parameters.Skip(tile), sums + 2 * dims.State * Width, sums + (2 * dims.State + 1) * Width);
    }

    private void Store(float* sums, Rows<float> to, long first, int steps)
    {
        if (!to.IsAbsent)
        {
            ScanStates.CopyRows(sums, ScanSweep<V>.PaddedState(scan.Dims.State), to.Row(first), to.Stride, steps, scan.Dims.State);
        }
    }

    private void End(float* sums, long batch, long tile)
    {
        var state = scan.Dims.State;
        var (first, channels) = (tiles.FirstChannel(tile), tiles.Channels(tile));
        ScanStates.Store(sums, Width, scan.DInitialState, batch * scan.Dims.Channels + first, channels, state);
        ScanStates.Store(sums + state * Width, Width, partials.DA(batch), first, channels, state);
        StoreRow(sums + 2 * state * Width, partials.DD(batch), first, channels);
        StoreRow(sums + (2 * state + 1) * Width, partials.DDeltaBias(batch), first, channels);
    }

    private static void StoreRow(float* from, Rows<float> to, long first, int channels)
    {
        if (!to.IsAbsent)
        {
            new ReadOnlySpan<float>(from, channels).CopyTo(new Span<float>(to.Pointer + first, channels));
        }
    }
}
