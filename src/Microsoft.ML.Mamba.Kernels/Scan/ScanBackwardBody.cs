namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Backward scan for one vector width. Sums that cross work items (dB and dC over the channels, dA, dD and the bias gradient over
/// the batch) are kept apart per item and added in order afterwards.
/// </summary>
internal readonly unsafe struct ScanBackwardBody(SelectiveScanBackward<float> scan, int threads) : IVectorBody
{
    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var dims = scan.Dims;
        var tiles = new ScanTiles(dims, V.Count);
        var runs = new ScanTileRuns(tiles, dims);
        var items = dims.Batch * runs.PerSequence;
        using var parameters = new ScanParameters(tiles, dims, scan.A, scan.D, scan.DeltaBias);
        using var scratch = Scratch.Rent((long)KernelThreads.Workers(items, threads) * ScanBackwardRun<V>.ScratchLength(dims, runs));
        using var noGradient = new NativeArray<float>(scan.DY.IsAbsent ? dims.Channels : 0);
        using var partials = new ScanPartials(scan, runs);
        var dy = scan.DY.IsAbsent ? noGradient.AsRows(1, dims.Channels, 0) : scan.DY;
        KernelThreads.For(items, threads, new ScanBackwardRun<V>(scan, dy, tiles, runs, parameters, partials, scratch.Pointer));
        partials.Write<V>(threads);
    }
}
