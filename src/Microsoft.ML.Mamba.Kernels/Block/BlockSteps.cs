namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// One position through a stack of Mamba blocks, for inference token by token:
/// <code>
/// residual += hidden,  x, z = in(norm(residual)),  u = silu(conv(x)),  r, B, C = select(u)
/// hidden = out(scan(u, delta(r), B, C)·silu(z))
/// </code>
/// for one block after the other. The formulas are those of <see cref="RmsNorm"/>, <see cref="LinearStep"/>,
/// <see cref="CausalConv1d.Step"/> and <see cref="SelectiveStateUpdate"/>; all at once they wait for memory only, which gives the
/// weights. Results depend neither on the number of threads nor on the other sequences.
/// </summary>
public static unsafe class BlockSteps
{
    internal const string Operation = "BlockSteps";

    // Multiply-adds below which a second thread is not woken: a tenth of a millisecond alone, and waiting for another thread on a busy
    // processor takes ten times that.
    private const long WorthSharing = 1 << 20;

    /// <summary>Advances every block's state and the stream.</summary>
    /// <param name="dims">Sizes.</param>
    /// <param name="blocks">The blocks, first block first.</param>
    /// <param name="hidden">In and out: what is to be added to the stream, (B, M).</param>
    /// <param name="residual">In and out: the stream before it, (B, M).</param>
    /// <param name="normEpsilon">Added to the mean square by the norm in front of each block, &gt; 0.</param>
    /// <param name="selectionEpsilon">0, or &gt; 0 for blocks whose r, B and C pass through norms without weights: what those add.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>, or 1 where that would gain next to nothing.</param>
    /// <exception cref="ArgumentException">A shape does not fit the sizes.</exception>
    public static void Advance(
        in BlockStepDims dims, ReadOnlySpan<BlockStep<float>> blocks, Rows<float> hidden, Rows<float> residual, double normEpsilon, double selectionEpsilon, int threads = 0)
    {
        Require(dims, blocks, hidden, residual, normEpsilon, selectionEpsilon);
        if (dims.Batch > 0 && blocks.Length > 0)
        {
            if (threads == 0 && blocks.Length * dims.MultiplyAdds < WorthSharing)
            {
                threads = 1;
            }

            fixed (BlockStep<float>* first = blocks)
            {
                SimdWidth.Dispatch(new BlockStepsBody(dims, first, blocks.Length, hidden, residual, normEpsilon, selectionEpsilon, threads));
            }
        }
    }

    internal static void Require<T>(
        in BlockStepDims dims, ReadOnlySpan<BlockStep<T>> blocks, Rows<T> hidden, Rows<T> residual, double normEpsilon, double selectionEpsilon)
        where T : unmanaged
    {
        dims.Require(Operation);
        hidden.RequireOutput(Operation, "hidden", "(B, M)", dims.Batch, dims.Model);
        residual.RequireOutput(Operation, "residual", "(B, M)", dims.Batch, dims.Model);
        residual.RequireApart(Operation, "residual", "hidden", hidden);
        if (!(normEpsilon > 0 && double.IsFinite(normEpsilon)) || !(selectionEpsilon >= 0 && double.IsFinite(selectionEpsilon)))
        {
            throw new ArgumentException(
                $"{Operation}: normEpsilon is {normEpsilon} and selectionEpsilon is {selectionEpsilon}; expected finite numbers > 0 and ≥ 0.", nameof(normEpsilon));
        }

        foreach (ref readonly var block in blocks)
        {
            block.Require(Operation, dims);
        }
    }
}
