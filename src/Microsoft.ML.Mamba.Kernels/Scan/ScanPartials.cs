namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Where the work items of the backward scan put sums that other items contribute to: straight into the output when there is
/// only one contributor, else into memory of their own, which <see cref="Write"/> adds up in order.
/// </summary>
internal sealed unsafe class ScanPartials : IDisposable
{
    private readonly SelectiveScanBackward<float> _scan;
    private readonly ScanTileRuns _runs;
    private readonly Scratch _db;
    private readonly Scratch _dc;
    private readonly Scratch _da;
    private readonly Scratch _dd;
    private readonly Scratch _dbias;

    public ScanPartials(in SelectiveScanBackward<float> scan, in ScanTileRuns runs)
    {
        (_scan, _runs) = (scan, runs);
        var dims = scan.Dims;
        var perStep = runs.PerGroup == 1 ? 0 : checked(dims.Batch * runs.PerSequence * dims.Length * dims.State);
        var perSequence = dims.Batch == 1 ? 0 : dims.Batch * dims.Channels;
        _db = Allocate(scan.DB, perStep);
        _dc = Allocate(scan.DC, perStep);
        _da = Allocate(scan.DA, checked(perSequence * dims.State));
        _dd = Allocate(scan.DD, perSequence);
        _dbias = Allocate(scan.DDeltaBias, perSequence);
    }

    /// <summary>dB of a run: (L, N).</summary>
    public Rows<float> DB(long batch, long run) => PerStep(_db, _scan.DB, batch, run);

    /// <summary>dC of a run: (L, N).</summary>
    public Rows<float> DC(long batch, long run) => PerStep(_dc, _scan.DC, batch, run);

    /// <summary>dA of a sequence: (D, N).</summary>
    public Rows<float> DA(long batch) => PerSequence(_da, _scan.DA, batch);

    /// <summary>dD of a sequence: (1, D).</summary>
    public Rows<float> DD(long batch) => PerSequence(_dd, _scan.DD, batch);

    /// <summary>Bias gradient of a sequence: (1, D).</summary>
    public Rows<float> DDeltaBias(long batch) => PerSequence(_dbias, _scan.DDeltaBias, batch);

    /// <summary>Adds up what was kept apart.</summary>
    public void Write<V>(int threads)
        where V : struct, IFloatVector<V>
    {
        var dims = _scan.Dims;
        for (long group = 0; group < dims.Batch * dims.Groups && _runs.PerGroup > 1; group++)
        {
            var first = group * _runs.PerGroup * dims.Length * dims.State;
            OrderedSum<V>.Write(_db.Pointer + first, _runs.PerGroup, OfGroup(_scan.DB, group), threads);
            OrderedSum<V>.Write(_dc.Pointer + first, _runs.PerGroup, OfGroup(_scan.DC, group), threads);
        }

        if (dims.Batch != 1)
        {
            OrderedSum<V>.Write(_da.Pointer, dims.Batch, _scan.DA, threads);
            OrderedSum<V>.Write(_dd.Pointer, dims.Batch, _scan.DD, threads);
            OrderedSum<V>.Write(_dbias.Pointer, dims.Batch, _scan.DDeltaBias, threads);
        }
    }

    public void Dispose()
    {
        _db.Dispose();
        _dc.Dispose();
        _da.Dispose();
        _dd.Dispose();
        _dbias.Dispose();
    }

    private static Scratch Allocate(Rows<float> output, long length) => Scratch.Rent(output.IsAbsent ? 0 : length);

    private Rows<float> PerStep(Scratch partials, Rows<float> output, long batch, long run)
    {
        var dims = _scan.Dims;
        return output.IsAbsent ? default
            : _runs.PerGroup == 1 ? OfGroup(output, batch * dims.Groups + run)
            : new Rows<float>((nint)(partials.Pointer + (batch * _runs.PerSequence + run) * dims.Length * dims.State), dims.Length, dims.State);
    }

    private Rows<float> PerSequence(Scratch partials, Rows<float> output, long batch) =>
        output.IsAbsent ? default
            : _scan.Dims.Batch == 1 ? output
            : new Rows<float>((nint)(partials.Pointer + batch * output.Count * output.Width), output.Count, output.Width);

    /// <summary>The part of dB or dC, (B·L, G·N), that belongs to one sequence and group: (L, N).</summary>
    private Rows<float> OfGroup(Rows<float> output, long sequenceAndGroup)
    {
        var dims = _scan.Dims;
        var (batch, group) = (sequenceAndGroup / dims.Groups, sequenceAndGroup % dims.Groups);
        return output.IsAbsent ? default
            : new Rows<float>((nint)(output.Row(batch * dims.Length) + group * dims.State), dims.Length, dims.State, output.Stride);
    }
}
