namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The work items of the backward scan: every sequence × every run of neighbouring tiles of a group. A run adds up dB and dC of
/// its tiles, so longer runs leave fewer partial sums; shorter runs leave more work items. Never depends on the number of threads.
/// </summary>
internal readonly struct ScanTileRuns
{
    private const int LongestRun = 4;
    private const int EnoughItems = 12;

    private readonly ScanTiles _tiles;

    public ScanTileRuns(in ScanTiles tiles, in ScanDims dims)
    {
        _tiles = tiles;
        Tiles = LongestRun;
        while (Tiles > 1 && dims.Batch * dims.Groups * CountPerGroup(Tiles) < EnoughItems)
        {
            Tiles /= 2;
        }

        PerGroup = CountPerGroup(Tiles);
        PerSequence = PerGroup * dims.Groups;
    }

    /// <summary>Tiles of a full run.</summary>
    public int Tiles { get; }

    /// <summary>Runs per group.</summary>
    public long PerGroup { get; }

    /// <summary>Runs per sequence.</summary>
    public long PerSequence { get; }

    /// <summary>First tile of a run.</summary>
    public long FirstTile(long run) => run / PerGroup * _tiles.PerGroup + run % PerGroup * Tiles;

    /// <summary>Tiles of a run, fewer than <see cref="Tiles"/> at the end of a group.</summary>
    public int TilesOf(long run) => (int)Math.Min(Tiles, _tiles.PerGroup - run % PerGroup * Tiles);

    private long CountPerGroup(int tiles) => (_tiles.PerGroup + tiles - 1) / tiles;
}
