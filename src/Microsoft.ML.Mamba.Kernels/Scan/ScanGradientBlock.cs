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
        Slope = QA + ScanChunks.Steps * width;
        GateSlope = Slope + ScanChunks.Steps * width;
        Stage = GateSlope + ScanChunks.Steps * width;
    }

    /// <summary>d, d·u and the ungated y.</summary>
    public ScanBlock<V> Forward { get; }

    /// <summary>Gradient of the ungated y: dy·silu(z).</summary>
    public float* DYp { get; }

    /// <summary>Sum over the states of g·B.</summary>
    public float* GB { get; }

    /// <summary>Sum over the states of g·exp(d·A)·h[t-1]·A·log2(e).</summary>
    public float* QA { get; }

    /// <summary>Derivative of softplus; not written without softplus.</summary>
    private float* Slope { get; }

    /// <summary>dy times the derivative of SiLU; not written without z.</summary>
    private float* GateSlope { get; }

    private float* Stage { get; }

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(int width) => ScanBlock<V>.ScratchLength(width) + (5 * ScanChunks.Steps + 2) * width;

    /// <summary>Everything that does not depend on the states.</summary>
    public void Prepare(in SelectiveScanBackward<float> scan, Rows<float> dy, long row, int steps, float* bias, float* skip)
    {
        Forward.Prepare(row, steps, scan.U, scan.Delta, bias, skip, scan.DeltaSoftplus, Slope);
        PrepareGate(row, steps, dy, scan.Z);
    }

    /// <summary>du, ddelta, dz to their places; adds to the sums of dD and of the bias gradient.</summary>
    public void Finish(in SelectiveScanBackward<float> scan, long row, int steps, float* skip, float* dd, float* dbias)
    {
        FinishInputs(row, steps, scan.U, scan.DU, scan.DDelta, scan.DeltaSoftplus, skip, dd, dbias);
        if (!scan.DZ.IsAbsent)
        {
            FinishGate(row, steps, scan.DZ);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void PrepareGate(long row, int steps, Rows<float> dy, Rows<float> z)
    {
        var exp2 = Exp2<V>.Load();
        for (var t = 0; t < steps; t++)
        {
            var at = t * _width;
            var from = Forward.Read(dy, row + t, Stage);
            var zt = z.IsAbsent ? null : Forward.Read(z, row + t, Stage + _width);
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                var value = V.Load(from + lane);
                if (zt != null)
                {
                    var gate = V.Load(zt + lane);
                    var sigmoid = FastMath.Sigmoid(gate, FastMath.ExpOfNegativeMagnitude(gate, exp2));
                    V.Store(value * FastMath.SiluDerivative(gate, sigmoid), GateSlope + at + lane);
                    value *= gate * sigmoid;
                }

                V.Store(value, DYp + at + lane);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void FinishInputs(
        long row, int steps, Rows<float> u, Rows<float> du, Rows<float> ddelta, bool softplus, float* skip, float* dd, float* dbias)
    {
        for (var t = steps - 1; t >= 0; t--)
        {
            var at = t * _width;
            var ut = Forward.Read(u, row + t, Stage);
            var dut = Forward.WriteTo(du, row + t, GB + at);
            var ddeltat = Forward.WriteTo(ddelta, row + t, QA + at);
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                var uv = V.Load(ut + lane);
                var dyp = V.Load(DYp + at + lane);
                var gb = V.Load(GB + at + lane);
                var gradient = V.MultiplyAdd(uv, gb, V.Load(QA + at + lane) * V.Broadcast(Ln2));
                if (softplus)
                {
                    gradient *= V.Load(Slope + at + lane);
                }

                V.Store(V.MultiplyAdd(V.Load(Forward.D + at + lane), gb, V.Load(skip + lane) * dyp), dut + lane);
                V.Store(gradient, ddeltat + lane);
                V.Store(V.Load(dbias + lane) + gradient, dbias + lane);
                V.Store(V.MultiplyAdd(uv, dyp, V.Load(dd + lane)), dd + lane);
            }

            Forward.Write(dut, du, row + t);
            Forward.Write(ddeltat, ddelta, row + t);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void FinishGate(long row, int steps, Rows<float> dz)
    {
        for (var t = 0; t < steps; t++)
        {
            var at = t * _width;
            var to = Forward.WriteTo(dz, row + t, GateSlope + at);
            for (var lane = 0; lane < Forward.Padded; lane += V.Count)
            {
                V.Store(V.Load(GateSlope + at + lane) * V.Load(Forward.Y + at + lane), to + lane);
            }

            Forward.Write(to, dz, row + t);
        }
    }
}
