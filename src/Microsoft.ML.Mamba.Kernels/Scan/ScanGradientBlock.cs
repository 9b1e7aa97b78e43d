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

    private readonly float* _own;

    public ScanGradientBlock(float* scratch, long firstChannel, int channels)
    {
        Forward = new ScanBlock<V>(scratch, firstChannel, channels);
        _own = scratch + ScanBlock<V>.ScratchLength;
    }

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength => ScanBlock<V>.ScratchLength + 5 * Length;

    /// <summary>d, d·u and the ungated y.</summary>
    public ScanBlock<V> Forward { get; }

    /// <summary>Gradient of the ungated y: dy·silu(z).</summary>
    public float* DYp => _own;

    /// <summary>Sum over the states of g·B.</summary>
    public float* GB => _own + Length;

    /// <summary>Sum over the states of g·exp(d·A)·h[t-1]·A·log2(e).</summary>
    public float* QA => _own + 2 * Length;

    /// <summary>Derivative of softplus; not written without softplus.</summary>
    private float* Slope => _own + 3 * Length;

    /// <summary>dy times the derivative of SiLU; not written without z.</summary>
    private float* GateSlope => _own + 4 * Length;

    private static int Length => ScanBlock<V>.Length;

    private static int Width => ScanBlock<V>.Width;

    /// <summary>Everything that does not depend on the states.</summary>
    public void Prepare(in SelectiveScanBackward<float> scan, Rows<float> dy, long row, int steps, float* bias, float* skip)
    {
        Forward.Prepare(row, steps, scan.U, scan.Delta, bias, skip, scan.DeltaSoftplus, Slope);
        var from = Forward.Read(dy, row, steps, slot: 0);
        if (scan.Z.IsAbsent)
        {
            ScanStates.CopyRows(from.Pointer, from.Stride, DYp, Width, steps, Forward.Padded);
        }
        else
        {
            var gate = Forward.Read(scan.Z, row, steps, slot: 1);
            Gate(from.Pointer, from.Stride, gate.Pointer, gate.Stride, DYp, GateSlope, steps, Forward.Padded);
        }
    }

    /// <summary>du, ddelta, dz to their places; adds to the sums of dD and of the bias gradient.</summary>
    public void Finish(in SelectiveScanBackward<float> scan, long row, int steps, float* skip, float* dd, float* dbias)
    {
        var u = Forward.Read(scan.U, row, steps, slot: 0);
        var ddelta = Forward.WriteTo(scan.DDelta, row, QA);
        FinishDelta(u.Pointer, u.Stride, GB, QA, scan.DeltaSoftplus ? Slope : null, ddelta.Pointer, ddelta.Stride, dbias, steps, Forward.Padded);
        Forward.Write(ddelta, scan.DDelta, row, steps);

        var du = Forward.WriteTo(scan.DU, row, GB);
        FinishInput(u.Pointer, u.Stride, Forward.D, GB, DYp, skip, du.Pointer, du.Stride, dd, steps, Forward.Padded);
        Forward.Write(du, scan.DU, row, steps);

        if (!scan.DZ.IsAbsent)
        {
            var dz = Forward.WriteTo(scan.DZ, row, GateSlope);
            FinishGate(Forward.Y, GateSlope, dz.Pointer, dz.Stride, steps, Forward.Padded);
            Forward.Write(dz, scan.DZ, row, steps);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Gate(float* dy, long dyStride, float* z, long zStride, float* dyp, float* gateSlope, long steps, long padded)
    {
        var exp2 = Exp2<V>.Load();
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                Prefetch.Line(dy + lane - ScanChunks.Steps * dyStride);
                Prefetch.Line(z + lane - ScanChunks.Steps * zStride);
                var gate = V.Load(z + lane);
                var sigmoid = FastMath.Sigmoid(gate, FastMath.ExpOfNegativeMagnitude(gate, exp2));
                var gradient = V.Load(dy + lane);
                V.Store(gradient * (gate * sigmoid), dyp + lane);
                V.Store(gradient * FastMath.SiluDerivative(gate, sigmoid), gateSlope + lane);
            }

            dy += dyStride;
            z += zStride;
            dyp += Width;
            gateSlope += Width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FinishDelta(
        float* u, long uStride, float* gb, float* qa, float* slope, float* to, long toStride, float* dbias, long steps, long padded)
    {
        for (long lane = 0; lane < padded; lane += V.Count)
        {
            var sum = V.Load(dbias + lane);
            for (long t = 0; t < steps; t++)
            {
                var at = t * Width + lane;
                var gradient = V.MultiplyAdd(V.Load(u + t * uStride + lane), V.Load(gb + at), V.Load(qa + at) * V.Broadcast(Ln2));
                gradient = slope == null ? gradient : gradient * V.Load(slope + at);
                V.Store(gradient, to + t * toStride + lane);
                sum += gradient;
            }

            V.Store(sum, dbias + lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FinishInput(
        float* u, long uStride, float* d, float* gb, float* dyp, float* skip, float* to, long toStride, float* dd, long steps, long padded)
    {
        for (long lane = 0; lane < padded; lane += V.Count)
        {
            var sum = V.Load(dd + lane);
            var skipLanes = V.Load(skip + lane);
            for (long t = 0; t < steps; t++)
            {
                var at = t * Width + lane;
                var gradient = V.Load(dyp + at);
                V.Store(V.MultiplyAdd(V.Load(d + at), V.Load(gb + at), skipLanes * gradient), to + t * toStride + lane);
                sum = V.MultiplyAdd(V.Load(u + t * uStride + lane), gradient, sum);
            }

            V.Store(sum, dd + lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FinishGate(float* y, float* gateSlope, float* to, long toStride, long steps, long padded)
    {
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                V.Store(V.Load(y + lane) * V.Load(gateSlope + lane), to + lane);
            }

            y += Width;
            gateSlope += Width;
            to += toStride;
        }
    }
}
