namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// How a block of the scan's kernels divides its work: native/scan_tiles.cuh. Warps lie over channels (eight a warp) and states (eights
/// of them a warp), which decides registers and shared memory; the kernels refuse to compile when <see cref="ForwardBytes"/>
/// and the like are wrong.
/// </summary>
/// <param name="ChannelWarps">Warps over channels.</param>
/// <param name="StateWarps">Warps over states.</param>
/// <param name="Eights">Eights of states of a warp, an even number.</param>
/// <param name="Tile">Positions that are in shared memory at a time, a multiple of 8.</param>
/// <param name="MinBlocks">Blocks that a multiprocessor should hold: the compiler's limit of registers.</param>
/// <param name="HelperWarps">Warps beside those, which copy and prepare tiles; with 0 all warps do.</param>
/// <param name="Vector">Most channels of a vector that a thread copies, 4 or 8: few enough that every thread has one.</param>
internal sealed record CudaScanTile(int ChannelWarps, int StateWarps, int Eights, int Tile, int MinBlocks, int HelperWarps = 0, int Vector = 8)
{
    private const int Staging = 2;
    private const int Kept = 4;
    private const int Summed = 3;
    private const int PushPadding = 16;
    private const int StatePadding = 16;
    private const int SumPadding = 4;
    private const int FactorPadding = 4;
    private const int Orders = 4;
    private const int CursorBytes = 56;

    /// <summary>Channels of a block.</summary>
    public int Channels => 8 * ChannelWarps;

    public int Threads => 32 * (ChannelWarps * StateWarps + HelperWarps);

    /// <summary>States that fit.</summary>
    public int States => 8 * StateWarps * Eights;

    /// <summary>The macros of scan_tiles.cuh and of the launch.</summary>
    public string[] Defines(CudaNumber type, bool aligned, int sharedBytes) =>
    [
        $"REAL={type.Name()}", $"ROW_BYTES={RowBytes(type)}", $"ALIGNED={(aligned ? 1 : 0)}", $"CHANNEL_WARPS={ChannelWarps}", $"STATE_WARPS={StateWarps}",
        $"EIGHTS={Eights}", $"TILE={Tile}", $"HELPER_WARPS={HelperWarps}", $"MIN_BLOCKS={MinBlocks}", $"SHARED_BYTES={sharedBytes}",
    ];

    /// <summary>Shared memory of selective_scan_forward.</summary>
    public int ForwardBytes(CudaNumber type) =>
        RowBytes(type) * ((2 * Kept + 1) * ChannelItems(type) + 2 * StateItems(type))
        + sizeof(float) * (2 * (PushFloats + 2 * MatrixFloats) + Summed * SumFloats + 2 * Channels);

    /// <summary>Shared memory of selective_scan_carry.</summary>
    public int CarryBytes(CudaNumber type, bool backward) =>
        RowBytes(type) * ((backward ? 3 * ChannelItems(type) : 2 * ChannelItems(type) + 1) + StateItems(type))
        + sizeof(float) * (2 * (PushFloats + MatrixFloats) + HelperWarps * Channels + Channels);

    /// <summary>Shared memory of selective_scan_backward.</summary>
    public int BackwardBytes(CudaNumber type) =>
        Staging * RowBytes(type) * (4 * ChannelItems(type) + 2 * StateItems(type)) + CursorBytes * Threads
        + sizeof(float) * (Tile * (4 * Channels + FactorPadding) + 2 * OrderFloats(type) + 3 * SumFloats + ChannelWarps * Tile * (2 * States + SumPadding)
            + Tile / 8 * Eights * 2 * Threads + 2 * Threads * Width(type) + 2 * Channels);

    private int PushFloats => Tile * (2 * Channels + PushPadding);

    private int MatrixFloats => Tile * (States + (States % 32 == 0 ? StatePadding : 0));

    private int SumFloats => StateWarps * Tile * (Channels + SumPadding);

    private int OrderFloats(CudaNumber type) => Tile * (type == CudaNumber.Float32 ? Orders * States + StatePadding : States);

    private int ChannelItems(CudaNumber type) => Tile * Channels / Width(type);

    private int StateItems(CudaNumber type) => Tile * ((States + Width(type) - 1) / Width(type));

    private int RowBytes(CudaNumber type) => Width(type) * type.Bytes();

    private int Width(CudaNumber type) => Math.Min(Vector, 16 / type.Bytes());
}
