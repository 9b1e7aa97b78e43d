namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Time is cut into blocks, which are what a pass over a tile keeps in the first-level cache, and into chunks, whose states the
/// backward pass recomputes from the state at their start. A chunk is a block: the recomputed states of a tile then fit the second-level cache.
/// </summary>
internal static class ScanChunks
{
    /// <summary>Steps per chunk.</summary>
    public const int Steps = 16;

    /// <summary>Chunks per sequence.</summary>
    public static long Count(in ScanDims dims) => (dims.Length + Steps - 1) / Steps;

    /// <summary>
    /// The states of state index 0 at the start of a chunk, at one channel; the next state index follows D floats later, so that
    /// neighbouring channels are neighbours in memory and the layout does not depend on the vector width.
    /// </summary>
    public static unsafe float* At(Rows<float> checkpoints, in ScanDims dims, long batch, long chunk, long channel) =>
        checkpoints.Pointer + (batch * Count(dims) + chunk) * dims.State * dims.Channels + channel;
}
