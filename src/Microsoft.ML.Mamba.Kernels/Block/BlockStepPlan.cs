namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The work items of <see cref="BlockSteps"/>: for each block the phases norm, projection in with the convolution, selection, norms of
/// what is selected (where there are any), step sizes with the scan, projection out. The cut depends on the sizes and the vector width
/// only, never on the number of threads.
/// </summary>
internal readonly struct BlockStepPlan
{
    /// <summary>Weights per item of the large products: some microseconds of reading, against some tenths of one for taking an item.</summary>
    private const long ItemElements = 64 * 1024;

    /// <summary>And of the selection, which has few weights for all threads.</summary>
    private const long SelectElements = 16 * 1024;

    /// <summary>Whole vectors of every width, and whole cache lines.</summary>
    private const long ChannelMultiple = 16;

    private const long ScanChannels = 128;

    public BlockStepPlan(in BlockStepDims dims, int lanes, bool normsSelection)
    {
        Channels = RowBlocks.OfElements(dims.Channels, dims.Model, ItemElements, ChannelMultiple);
        Selected = RowBlocks.OfElements(dims.Selected, dims.Channels, SelectElements);
        Tiles = new ScanTiles(dims.Scan with { Batch = 1 }, lanes);
        TileBlocks = new RowBlocks(Tiles.PerSequence, Math.Max(1, ScanChannels / Tiles.Width));
        Outputs = RowBlocks.OfElements(dims.Model, dims.Channels, ItemElements);
        InStart = 1;
        SelectStart = InStart + 2 * Channels.Count;
        SelectionNormStart = SelectStart + Selected.Count;
        ScanStart = SelectionNormStart + (normsSelection ? 1 : 0);
        OutStart = ScanStart + TileBlocks.Count;
        Items = OutStart + Outputs.Count;
    }

    /// <summary>Channels whose x, or z, one item computes.</summary>
    public RowBlocks Channels { get; }

    /// <summary>Rows of the selection.</summary>
    public RowBlocks Selected { get; }

    /// <summary>Tiles of the scan.</summary>
    public ScanTiles Tiles { get; }

    /// <summary>Tiles that one item advances.</summary>
    public RowBlocks TileBlocks { get; }

    /// <summary>Rows of the projection out.</summary>
    public RowBlocks Outputs { get; }

    /// <summary>First item of the projection in; the norm is item 0.</summary>
    public long InStart { get; }

    public long SelectStart { get; }

    public long SelectionNormStart { get; }

    public long ScanStart { get; }

    public long OutStart { get; }

    /// <summary>Items of a block.</summary>
    public long Items { get; }

    /// <summary>First item of the phase that an item of a block belongs to.</summary>
    public long PhaseStart(long item) =>
        item >= OutStart ? OutStart
        : item >= ScanStart ? ScanStart
        : item >= SelectionNormStart ? SelectionNormStart
        : item >= SelectStart ? SelectStart
        : item >= InStart ? InStart
        : 0;
}
