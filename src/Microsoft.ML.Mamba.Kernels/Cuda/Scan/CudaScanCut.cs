namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// How the sequences of a scan are cut into segments for one direction. Where blocks that walk whole sequences would leave
/// multiprocessors without work, segments are as many as run at once: more would be computed after the others and cost more of what
/// comes before the scan, their effect on the state.
/// </summary>
/// <param name="Sequences">Sequences.</param>
/// <param name="Segments">Segments of each.</param>
/// <param name="SegmentLength">Positions of a segment, except perhaps the last.</param>
internal readonly record struct CudaScanCut(long Sequences, int Segments, long SegmentLength)
{
    private const int LeastSegment = 512;

    /// <summary>Segments of all sequences.</summary>
    public long Runs => Sequences * Segments;

    /// <summary>The cut that suits a GPU.</summary>
    /// <param name="multiprocessors">Of the GPU.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="blocks">Blocks of a sequence.</param>
    /// <param name="resident">Blocks that a multiprocessor holds.</param>
    /// <param name="least">Segments of a sequence that must run at once, for the carrying to cost less than idle multiprocessors.</param>
    /// <param name="unit">Segments start at multiples of it.</param>
    public static CudaScanCut For(int multiprocessors, ScanDims dims, int blocks, int resident, int least, int unit)
    {
        var together = (long)resident * multiprocessors / Math.Max(1, dims.Batch * blocks);
        var wanted = together < least ? 1 : Math.Max(1, Math.Min(together, dims.Length / LeastSegment));
        var length = (dims.Length + wanted - 1) / wanted;
        length = Math.Max(unit, (length + unit - 1) / unit * unit);
        return new(dims.Batch, checked((int)Math.Max(1, (dims.Length + length - 1) / length)), length);
    }
}
