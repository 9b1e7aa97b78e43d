namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The work items of a scan: every sequence × every tile of neighbouring channels. The cut depends on the sizes and on the vector
/// width only, never on the number of threads. A tile lies within one group.
/// </summary>
internal readonly struct ScanTiles
{
    /// <summary>Vectors per tile. Four of 512 bits are 256 bytes of a row: whole cache lines, two pairs of vectors.</summary>
    public const int Vectors = 4;

    private const int PageFloats = 4096 / sizeof(float);

    private readonly ScanDims _dims;

    public ScanTiles(in ScanDims dims, int lanes)
    {
        _dims = dims;
        Width = Vectors * lanes;
        PerGroup = (dims.ChannelsPerGroup + Width - 1) / Width;
    }

    /// <summary>
    /// Rounds a length of scratch memory up to pages. Processors match a load with earlier stores by the last 12 bits of the
    /// address first: rows of the same state index, which meet in one iteration, should agree in them, and rows of different
    /// ones should not. The loops load before they store.
    /// </summary>
    public static int WholePages(int floats) => (floats + PageFloats - 1) / PageFloats * PageFloats;

    /// <summary>Channels of a full tile.</summary>
    public int Width { get; }

    /// <summary>Tiles per group.</summary>
    public long PerGroup { get; }

    /// <summary>Tiles per sequence.</summary>
    public long PerSequence => PerGroup * _dims.Groups;

    /// <summary>Group of a tile.</summary>
    public long Group(long tile) => tile / PerGroup;

    /// <summary>First channel of a tile.</summary>
    public long FirstChannel(long tile) => Group(tile) * _dims.ChannelsPerGroup + tile % PerGroup * Width;

    /// <summary>Channels of a tile, fewer than <see cref="Width"/> at the end of a group.</summary>
    public int Channels(long tile) => (int)Math.Min(Width, _dims.ChannelsPerGroup - tile % PerGroup * Width);
}
