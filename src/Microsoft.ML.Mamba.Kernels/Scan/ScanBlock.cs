using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Scratch memory for a block of steps of one tile, and the passes over the caller's rows before and after the states. A full
/// tile is read and written in place; a partial one goes through scratch memory, so that nothing beyond its channels is touched.
/// </summary>
internal readonly unsafe struct ScanBlock<V>
    where V : struct, IFloatVector<V>
{
    private readonly long _firstChannel;
    private readonly float* _stage;

    public ScanBlock(float* scratch, long firstChannel, int channels)
    {
        _firstChannel = firstChannel;
        Channels = channels;
        Padded = (channels + 2 * V.Count - 1) / (2 * V.Count) * (2 * V.Count);
        D = scratch;
        _stage = Y + Length;
    }

    /// <summary>Floats per step: a full tile.</summary>
    public static int Width => ScanTiles.Vectors * V.Count;

    /// <summary>Floats of one value for all steps: rows of <see cref="Width"/>, one per step.</summary>
    public static int Length => ScanChunks.Steps * Width;

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength => 5 * Length;

    /// <summary>Channels in use.</summary>
    public int Channels { get; }

    /// <summary><see cref="Channels"/> rounded up to pairs of vectors: what the passes compute.</summary>
    public int Padded { get; }

    /// <summary>Step sizes after bias and softplus.</summary>
    public float* D { get; }

    /// <summary>d·u.</summary>
    public float* DU => D + Length;

    /// <summary>y before the gate.</summary>
    public float* Y => D + 2 * Length;

    private bool IsFull => Channels == Width;

    /// <summary>Makes the channels beyond those in use zero; once, before the first block of a tile.</summary>
    public void ClearStage()
    {
        if (!IsFull)
        {
            new Span<float>(_stage, 2 * Length).Clear();
        }
    }

    /// <summary>Step sizes, d·u, and D·u as the beginning of y.</summary>
    /// <param name="row">First step of the block.</param>
    /// <param name="steps">Steps of the block.</param>
    /// <param name="u">(B·L, D).</param>
    /// <param name="delta">(B·L, D).</param>
    /// <param name="bias">Delta bias of the tile.</param>
    /// <param name="skip">D of the tile.</param>
    /// <param name="softplus">Whether softplus is applied.</param>
    /// <param name="slope">Where the derivative of softplus goes, like <see cref="D"/>; null when not wanted.</param>
    public void Prepare(long row, int steps, Rows<float> u, Rows<float> delta, float* bias, float* skip, bool softplus, float* slope)
    {
        var from = Read(u, row, steps, slot: 0);
        var fromDelta = Read(delta, row, steps, slot: 1);
        if (!softplus)
        {
            AddBias(from.Pointer, from.Stride, fromDelta.Pointer, fromDelta.Stride, bias, skip, D, steps, Padded);
        }
        else if (slope == null)
        {
            ApplySoftplus(from.Pointer, from.Stride, fromDelta.Pointer, fromDelta.Stride, bias, skip, D, steps, Padded);
        }
        else
        {
            ApplySoftplus(from.Pointer, from.Stride, fromDelta.Pointer, fromDelta.Stride, bias, skip, D, slope, steps, Padded);
        }
    }

    /// <summary>The gate, and y to its place.</summary>
    public void Finish(long row, int steps, Rows<float> z, Rows<float> y)
    {
        var to = WriteTo(y, row, Y);
        if (!z.IsAbsent)
        {
            var gate = Read(z, row, steps, slot: 0);
            Gate(Y, gate.Pointer, gate.Stride, to.Pointer, to.Stride, steps, Padded);
        }
        else if (IsFull)
        {
            ScanStates.CopyRows(Y, Width, to.Pointer, to.Stride, steps, Width);
        }

        Write(to, y, row, steps);
    }

    /// <summary>The tile's part of some rows, in place or copied to stage <paramref name="slot"/> (0 or 1).</summary>
    public Rows<float> Read(Rows<float> rows, long row, int steps, int slot)
    {
        var from = rows.Row(row) + _firstChannel;
        if (IsFull)
        {
            return new Rows<float>((nint)from, steps, Width, rows.Stride);
        }

        var stage = _stage + slot * Length;
        ScanStates.CopyRows(from, rows.Stride, stage, Width, steps, Channels);
        return new Rows<float>((nint)stage, steps, Width);
    }

    /// <summary>Where the tile's part of some rows can be written in whole vectors: in place, or in <paramref name="scratch"/>.</summary>
    public Rows<float> WriteTo(Rows<float> rows, long row, float* scratch) =>
        IsFull && !rows.IsAbsent
            ? new Rows<float>((nint)(rows.Row(row) + _firstChannel), ScanChunks.Steps, Width, rows.Stride)
            : new Rows<float>((nint)scratch, ScanChunks.Steps, Width);

    /// <summary>Ends what <see cref="WriteTo"/> began.</summary>
    public void Write(Rows<float> from, Rows<float> rows, long row, int steps)
    {
        if (!IsFull && !rows.IsAbsent)
        {
            ScanStates.CopyRows(from.Pointer, from.Stride, rows.Row(row) + _firstChannel, rows.Stride, steps, Channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AddBias(float* u, long uStride, float* delta, long deltaStride, float* bias, float* skip, float* to, long steps, long padded)
    {
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                Store(V.Load(delta + lane) + V.Load(bias + lane), V.Load(u + lane), V.Load(skip + lane), to + lane);
            }

            u += uStride;
            delta += deltaStride;
            to += Width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ApplySoftplus(float* u, long uStride, float* delta, long deltaStride, float* bias, float* skip, float* to, long steps, long padded)
    {
        var exp2 = Exp2<V>.Load();
        var (uAhead, deltaAhead) = (ScanChunks.Steps * uStride, ScanChunks.Steps * deltaStride);
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                Prefetch.Line(u + lane + uAhead);
                Prefetch.Line(delta + lane + deltaAhead);
                var x = V.Load(delta + lane) + V.Load(bias + lane);
                var d = FastMath.Softplus(x, FastMath.ExpOfNegativeMagnitude(x, exp2));
                Store(d, V.Load(u + lane), V.Load(skip + lane), to + lane);
            }

            u += uStride;
            delta += deltaStride;
            to += Width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ApplySoftplus(
        float* u, long uStride, float* delta, long deltaStride, float* bias, float* skip, float* to, float* slope, long steps, long padded)
    {
        var exp2 = Exp2<V>.Load();
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                Prefetch.Line(u + lane - ScanChunks.Steps * uStride);
                Prefetch.Line(delta + lane - ScanChunks.Steps * deltaStride);
                var x = V.Load(delta + lane) + V.Load(bias + lane);
                var t = FastMath.ExpOfNegativeMagnitude(x, exp2);
                V.Store(FastMath.Sigmoid(x, t), slope + lane);
                Store(FastMath.Softplus(x, t), V.Load(u + lane), V.Load(skip + lane), to + lane);
            }

            u += uStride;
            delta += deltaStride;
            to += Width;
            slope += Width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V d, V u, V skip, float* to)
    {
        V.Store(d, to);
        V.Store(d * u, to + Length);
        V.Store(skip * u, to + 2 * Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Gate(float* from, float* z, long zStride, float* to, long toStride, long steps, long padded)
    {
        var exp2 = Exp2<V>.Load();
        for (; steps > 0; steps--)
        {
            for (long lane = 0; lane < padded; lane += V.Count)
            {
                Prefetch.Line(z + lane + ScanChunks.Steps * zStride);
                Prefetch.Line(to + lane + ScanChunks.Steps * toStride);
                var gate = V.Load(z + lane);
                var sigmoid = FastMath.Sigmoid(gate, FastMath.ExpOfNegativeMagnitude(gate, exp2));
                V.Store(V.Load(from + lane) * (gate * sigmoid), to + lane);
            }

            from += Width;
            z += zStride;
            to += toStride;
        }
    }
}
