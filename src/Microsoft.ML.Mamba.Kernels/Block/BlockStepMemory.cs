namespace Microsoft.ML.Mamba.Kernels;

/// <summary>What <see cref="BlockSteps"/> keeps between the phases of a block: a row for each sequence, and memory for each thread's scan.</summary>
internal readonly unsafe struct BlockStepMemory
{
    /// <summary>Lays everything out in <paramref name="memory"/>, <see cref="Length"/> floats.</summary>
    public BlockStepMemory(in BlockStepDims dims, float* memory)
    {
        var start = memory;
        Normed = Take(ref memory, dims.Batch, dims.Model);
        Projected = Take(ref memory, dims.Batch, 2 * dims.Channels);
        U = Take(ref memory, dims.Batch, dims.Channels);
        Selected = Take(ref memory, dims.Batch, dims.Selected);
        Delta = Take(ref memory, dims.Batch, dims.Channels);
        Y = Take(ref memory, dims.Batch, dims.Channels);
        Workers = start + Length(dims);
    }

    /// <summary>(B, M).</summary>
    public Rows<float> Normed { get; }

    /// <summary>x, then z: (B, 2·D).</summary>
    public Rows<float> Projected { get; }

    /// <summary>(B, D); the padding may be written.</summary>
    public Rows<float> U { get; }

    /// <summary>(B, R + 2·N).</summary>
    public Rows<float> Selected { get; }

    /// <summary>(B, D).</summary>
    public Rows<float> Delta { get; }

    /// <summary>(B, D).</summary>
    public Rows<float> Y { get; }

    /// <summary>The first thread's scratch memory; the others' follow.</summary>
    public float* Workers { get; }

    /// <summary>Floats before those of the threads, whole pages.</summary>
    public static long Length(in BlockStepDims dims) =>
        ScanTiles.WholePages(checked((int)(dims.Batch * (PooledFloats.Padded(dims.Model) + PooledFloats.Padded(2 * dims.Channels)
            + 3 * PooledFloats.Padded(dims.Channels) + PooledFloats.Padded(dims.Selected)))));

    private static Rows<float> Take(ref float* memory, long count, long width)
    {
        var rows = new Rows<float>((nint)memory, count, width, PooledFloats.Padded(width));
        memory += count * rows.Stride;
        return rows;
    }
}
