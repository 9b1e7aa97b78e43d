namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The selective scan, the recurrence at the heart of a Mamba block, on the CPU in float32.
/// <code>
/// h[t,c,n] = exp(d[t,c]·A[c,n])·h[t-1,c,n] + d[t,c]·B[t,n]·u[t,c]       d = softplus(delta + bias)
/// y[t,c]   = (sum over n of C[t,n]·h[t,c,n] + D[c]·u[t,c])·silu(z[t,c])
/// </code>
/// t: step of a sequence (L); c: channel (D); n: state (N); every sequence of the batch (B) on its own. Source: Gu and Dao, Mamba,
/// section 3.2, Algorithm 2, and <c>selective_scan_ref</c> of state-spaces/mamba at commit e9594ce. Differences: channels are the
/// last axis, h may start from a given state, exponentials are approximated to 2e-7 (relative).
/// Results are bit-identical for every number of threads. <see cref="Reference.SelectiveScan"/> is the same in plain loops.
/// </summary>
public static class SelectiveScan
{
    private const string Operation = "SelectiveScan";

    /// <summary>y, the final state, and the checkpoints for <see cref="Backward"/>.</summary>
    /// <param name="scan">Arguments, with the shape of each.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Forward(in SelectiveScanForward<float> scan, int threads = 0)
    {
        scan.Require(Operation);
        SimdWidth.Dispatch(new ScanForwardBody(scan, threads));
    }

    /// <summary>Gradients of every input from those of y and of the final state. States are recomputed from the checkpoints.</summary>
    /// <param name="scan">Arguments, with the shape of each.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Backward(in SelectiveScanBackward<float> scan, int threads = 0)
    {
        scan.Require(Operation);
        scan.Checkpoints.Require(Operation, "checkpoints", "(1, CheckpointLength)", 1, CheckpointLength(scan.Dims));
        SimdWidth.Dispatch(new ScanBackwardBody(scan, threads));
    }

    /// <summary>
    /// Size of what <see cref="Forward"/> leaves for <see cref="Backward"/>: the states at the start of every chunk of steps,
    /// B·⌈L / chunk⌉·N·D. With N = 16 that is one number per element of u.
    /// </summary>
    /// <param name="dims">Sizes of the scan.</param>
    /// <returns>Number of floats.</returns>
    public static long CheckpointLength(in ScanDims dims) => checked(dims.Batch * ScanChunks.Count(dims) * dims.State * dims.Channels);
}
