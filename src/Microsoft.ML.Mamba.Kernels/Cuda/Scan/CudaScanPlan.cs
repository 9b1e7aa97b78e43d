namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// Cuts a scan into blocks. A block walks its channels of a sequence, or of a segment of it, from end to end. Where sequences are cut,
/// the effect of each segment on the state is computed first, from as much of the segment as states remember.
/// </summary>
internal sealed class CudaScanPlan
{
    private const string Source = "selective_scan";
    private const int ChainThreads = 128;
    private const int MatricesThreads = 256;

    /// <summary>Segments of a sequence from which cutting pays, measured on an H200: carrying is two thirds of a forward pass, less where states forget, and a sixth of a backward pass.</summary>
    private const int LeastForward = 4;
    private const int LeastBackward = 2;

    private static readonly (int States, CudaScanTile Forward, CudaScanTile Carry, CudaScanTile Backward)[] Tiles =
    [
        (16, new(4, 1, 2, 32, 3, HelperWarps: 4), new(4, 1, 2, 32, 3, HelperWarps: 4), new(4, 1, 2, 16, 3, Vector: 4)),
        (64, new(4, 2, 4, 16, 1, HelperWarps: 4), new(4, 2, 4, 16, 1, HelperWarps: 4), new(2, 4, 2, 16, 1, Vector: 4)),
        (ScanDims.MaxState, new(4, 4, 8, 8, 1, HelperWarps: 2), new(4, 4, 8, 8, 1, HelperWarps: 2), new(2, 4, 8, 8, 1, Vector: 4)),
    ];

    private static readonly CudaKernelVariant ChainKernel = new($"{Source}_chain", $"{Source}_chain");

    private static readonly CudaKernelFamily<(CudaScanTile Tile, CudaNumber Type, bool Aligned, int Checkpoints)> ForwardKernels = new(k =>
        new($"{Source}_forward", $"{Source}_forward", [.. k.Tile.Defines(k.Type, k.Aligned, k.Tile.ForwardBytes(k.Type)), $"CHECKPOINTS={k.Checkpoints}"]));

    private static readonly CudaKernelFamily<(CudaScanTile Tile, CudaNumber Type, bool Aligned, bool Backward)> CarryKernels = new(k =>
        new($"{Source}_carry", $"{Source}_carry", [.. k.Tile.Defines(k.Type, k.Aligned, k.Tile.CarryBytes(k.Type, k.Backward)), $"BACKWARD={(k.Backward ? 1 : 0)}"]));

    private static readonly CudaKernelFamily<(CudaScanTile Tile, CudaNumber Type, bool Aligned)> BackwardKernels = new(k =>
        new($"{Source}_backward", $"{Source}_backward", k.Tile.Defines(k.Type, k.Aligned, k.Tile.BackwardBytes(k.Type))));

    private static readonly CudaKernelFamily<(CudaNumber Type, bool Four)> MatricesKernels = new(k =>
        new($"{Source}_matrices", $"{Source}_matrices", $"REAL={k.Type.Name()}", $"FOUR={(k.Four ? 1 : 0)}"));

    private readonly ScanDims _dims;
    private readonly CudaScanTile _forward;
    private readonly CudaScanTile _carry;
    private readonly CudaScanTile _backward;

    public CudaScanPlan(int multiprocessors, ScanDims dims)
    {
        dims.Require(nameof(SelectiveScan));
        _dims = dims;
        (_, _forward, _carry, _backward) = Tiles.First(tile => dims.State <= tile.States);
        var unit = Math.Max(_forward.Tile, _backward.Tile);
        ForwardCut = CudaScanCut.For(multiprocessors, dims, BlocksOf(_forward), _forward.MinBlocks, LeastForward, unit);
        BackwardCut = CudaScanCut.For(multiprocessors, dims, BlocksOf(_backward), _backward.MinBlocks, LeastBackward, unit);
    }

    public CudaScanCut ForwardCut { get; }

    public CudaScanCut BackwardCut { get; }

    /// <summary>Positions from one checkpoint to the next: a tile of the backward pass.</summary>
    public int Chunk => _backward.Tile;

    /// <summary>Floats of the checkpoints that the forward pass leaves for the backward pass.</summary>
    public long CheckpointLength => _dims.Batch * ((_dims.Length + Chunk - 1) / Chunk) * StateFloats;

    /// <summary>Floats of memory for the states at the cuts of the forward pass.</summary>
    public long ForwardScratch => CarryFloats(ForwardCut);

    /// <summary>Floats of memory for the backward pass, carries included.</summary>
    public long BackwardScratch => PartialMatrices + MatrixFloats;

    /// <summary>Where in the memory for the backward pass the partial sums of A, the bias and D lie.</summary>
    public long PartialSums => CarryFloats(BackwardCut);

    /// <summary>Those of B and C, at a multiple of 16 bytes: four of these are read at a time, whatever the sizes before them.</summary>
    public long PartialMatrices => (PartialSums + BackwardCut.Runs * (StateFloats + 2 * _dims.Channels) + 3) / 4 * 4;

    public static IEnumerable<CudaKernelVariant> Variants =>
        (from tiles in Tiles
         from type in CudaNumbers.All
         from aligned in new[] { true, false }
         from variant in new[]
         {
             ForwardKernels[(ForwardTile(tiles.Forward, type), type, aligned, 0)],
             ForwardKernels[(ForwardTile(tiles.Forward, type), type, aligned, tiles.Backward.Tile)], CarryKernels[(tiles.Carry, type, aligned, false)],
             CarryKernels[(tiles.Carry, type, aligned, true)], BackwardKernels[(tiles.Backward, type, aligned)],
         }
         select variant)
        .Concat(from type in CudaNumbers.All from four in new[] { true, false } select MatricesKernels[(type, four)]).Append(ChainKernel);

    private long StateFloats => _dims.Channels * _dims.State;

    private long MatrixFloats => _dims.Steps * BlocksOf(_backward) * 2 * _dims.State;

    public CudaScanCut Cut(bool backward) => backward ? BackwardCut : ForwardCut;

    public CudaLaunch<CudaScanForwardArguments> Forward(CudaNumber type, bool aligned, CudaScanForwardArguments arguments)
    {
        var tile = ForwardTile(_forward, type);
        return new(ForwardKernels[(tile, type, aligned, arguments.Checkpoints == 0 ? 0 : Chunk)], arguments, ForwardCut.Runs * BlocksOf(tile), tile.Threads, tile.ForwardBytes(type));
    }

    public CudaLaunch<CudaScanCarryArguments> Carry(CudaNumber type, bool aligned, bool backward, CudaScanCarryArguments arguments) =>
        new(CarryKernels[(_carry, type, aligned, backward)], arguments, Cut(backward).Runs * BlocksOf(_carry), _carry.Threads, _carry.CarryBytes(type, backward));

    public CudaLaunch<CudaScanChainArguments> Chain(CudaScanChainArguments arguments) =>
        new(ChainKernel, arguments, (_dims.Batch * StateFloats + ChainThreads - 1) / ChainThreads, ChainThreads);

    public CudaLaunch<CudaScanBackwardArguments> Backward(CudaNumber type, bool aligned, CudaScanBackwardArguments arguments) =>
        new(BackwardKernels[(_backward, type, aligned)], arguments, BackwardCut.Runs * BlocksOf(_backward), _backward.Threads, _backward.BackwardBytes(type));

    public CudaLaunch<CudaScanMatricesArguments> Matrices(CudaNumber type, nint partials, nint db, nint dc)
    {
        var taken = _dims.State % 4 == 0 ? 4 : 1;
        return new(
            MatricesKernels[(type, taken == 4)],
            new CudaScanMatricesArguments { Partials = partials, Db = db, Dc = dc, Rows = _dims.Steps, Blocks = BlocksOf(_backward), States = _dims.State, Groups = _dims.Groups },
            (_dims.Steps * 2 * _dims.State * _dims.Groups / taken + MatricesThreads - 1) / MatricesThreads,
            MatricesThreads);
    }

    /// <summary>Tiles of wider numbers are shorter, so that as many blocks fit into shared memory.</summary>
    private static CudaScanTile ForwardTile(CudaScanTile tile, CudaNumber type) => type == CudaNumber.Float32 ? tile with { Tile = Math.Min(tile.Tile, 16) } : tile;

    private long CarryFloats(CudaScanCut cut) => cut.Segments == 1 ? 0 : cut.Runs * (2 * StateFloats + _dims.Channels);

    private int BlocksOf(CudaScanTile tile) => checked((int)(_dims.Groups * ((_dims.ChannelsPerGroup + tile.Channels - 1) / tile.Channels)));
}
