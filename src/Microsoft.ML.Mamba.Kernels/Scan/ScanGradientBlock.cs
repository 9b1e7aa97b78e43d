using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// What the backward pass keeps per step of a block beside <see cref="ScanBlock{V}"/>, and its passes over the caller's rows
/// before and after the states: rows of the tile's width, one per step.
/// </summary>
internal readonly unsafe struct ScanGradientBlock<V>
    where V : struct, IFloatVector<V>
{
    private const float Ln2 = 0.693147181f;

    private readonly int _width;

    public ScanGradientBlock(float* scratch, int width, long firstChannel, int channels)
    {
        _width = width;
        Forward = new ScanBlock<V>(scratch, width, firstChannel, channels);
        DYp = scratch + ScanBlock<V>.ScratchLength(width);
        GB = DYp + ScanChunks.Steps * width;
        QA = GB + ScanChunks.Steps * width;
        Stage = QA + ScanChunks.Steps * width;
    }

    /// <summary>d, d·u and the ungated y.</summary>
    public ScanBlock<V> Forward { get; }

    /// <summary>Gradient of the ungated y: dy·silu(z).</summary>
    public float* DYp { get; }

    /// <summary>Sum over the states of g·B.</summary>
    public float* GB { get; }

    /// <summary>Sum over the states of g·exp(d·A)·h[t-1]·A·log2(e).</summary>
    public float* QA { get; }

    private float* Stage { get; }

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(int width) => ScanBlock<V>.ScratchLength(width) + (3 * ScanChunks.Steps + 4) * width;

    /// <summary>The gradient of the ungated y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Prepare(long row, int steps, Rows<float> dy, Rows<float> z)
    {
        for (var t = 0; t < steps; t++)
        {
            var from = Forward.Read(dy, row + t, Stage);
            var to = DYp + t * _width;
            var zt = z.IsAbsent ? null : Forward.Read(z, row + t, Stage + _width);
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                var value = V.Load(from + lane);
                V.Store(zt == null ? value : value * FastMath.Silu(V.Load(zt + lane)), to + lane);
            }
        }
    }

    /// <summary>du, ddelta, dz to their places; adds to the sums of dD and of the bias gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Finish(in SelectiveScanBackward<float> scan, Rows<float> dy, long row, int steps, float* bias, float* skip, float* dd, float* dbias)
    {
        for (var t = steps - 1; t >= 0; t--)
        {
            var u = Forward.Read(scan.U, row + t, Stage);
            var delta = Forward.Read(scan.Delta, row + t, Stage + _width);
            var du = Forward.WriteTo(scan.DU, row + t, Stage + 2 * _width);
            var ddelta = Forward.WriteTo(scan.DDelta, row + t, Stage + 3 * _width);
            var at = t * _width;
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                var ut = V.Load(u + lane);
                var dyp = V.Load(DYp + at + lane);
                var gb = V.Load(GB + at + lane);
                var gradient = V.MultiplyAdd(ut, gb, V.Load(QA + at + lane) * V.Broadcast(Ln2));
                if (scan.DeltaSoftplus)
                {
                    gradient *= FastMath.Sigmoid(V.Load(delta + lane) + V.Load(bias + lane));
                }

                V.Store(V.MultiplyAdd(V.Load(Forward.D + at + lane), gb, V.Load(skip + lane) * dyp), du + lane);
                V.Store(gradient, ddelta + lane);
                V.Store(V.Load(dbias + lane) + gradient, dbias + lane);
                V.Store(V.MultiplyAdd(ut, dyp, V.Load(dd + lane)), dd + lane);
            }

            Forward.Write(du, scan.DU, row + t);
            Forward.Write(ddelta, scan.DDelta, row + t);
        }

        if (!scan.DZ.IsAbsent)
        {
            FinishGate(dy, scan.Z, scan.DZ, row, steps);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void FinishGate(Rows<float> dy, Rows<float> z, Rows<float> dz, long row, int steps)
    {
        for (var t = 0; t < steps; t++)
        {
            var dyt = Forward.Read(dy, row + t, Stage);
            var zt = Forward.Read(z, row + t, Stage + _width);
            var to = Forward.WriteTo(dz, row + t, Stage + 2 * _width);
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                var zv = V.Load(zt + lane);
                var derivative = FastMath.SiluDerivative(zv, FastMath.Sigmoid(zv));
                V.Store(V.Load(dyt + lane) * V.Load(Forward.Y + t * _width + lane) * derivative, to + lane);
            }

            Forward.Write(to, dz, row + t);
        }
    }
}
