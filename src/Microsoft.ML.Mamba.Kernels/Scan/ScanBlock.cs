using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Scratch memory for a block of steps of one tile, and the passes over the caller's rows before and after the states. Only here
/// are channel rows touched: a partial tile goes through a staging row, so that nothing beyond its channels is read or written.
/// </summary>
internal readonly unsafe struct ScanBlock<V>
    where V : struct, IFloatVector<V>
{
    private readonly int _width;
    private readonly long _firstChannel;
    private readonly float* _stage;

    public ScanBlock(float* scratch, int width, long firstChannel, int channels)
    {
        (_width, _firstChannel, Channels) = (width, firstChannel, channels);
        Padded = (channels + 2 * V.Count - 1) / (2 * V.Count) * (2 * V.Count);
        D = scratch;
        DU = D + ScanChunks.Steps * width;
        Y = DU + ScanChunks.Steps * width;
        _stage = Y + ScanChunks.Steps * width;
    }

    /// <summary>Channels in use.</summary>
    public int Channels { get; }

    /// <summary><see cref="Channels"/> rounded up to pairs of vectors: what the passes compute.</summary>
    public int Padded { get; }

    /// <summary>Step sizes after bias and softplus: rows of width floats, one per step.</summary>
    public float* D { get; }

    /// <summary>d·u, as <see cref="D"/>.</summary>
    public float* DU { get; }

    /// <summary>y before the gate, as <see cref="D"/>.</summary>
    public float* Y { get; }

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(int width) => (3 * ScanChunks.Steps + 2) * width;

    /// <summary>Step sizes, d·u, and D·u as the beginning of y.</summary>
    /// <param name="row">First step of the block.</param>
    /// <param name="steps">Steps of the block.</param>
    /// <param name="u">(B·L, D).</param>
    /// <param name="delta">(B·L, D).</param>
    /// <param name="bias">Delta bias of the tile.</param>
    /// <param name="skip">D of the tile.</param>
    /// <param name="softplus">Whether softplus is applied.</param>
    /// <param name="slope">Where the derivative of softplus goes, like <see cref="D"/>; null when not wanted.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Prepare(long row, int steps, Rows<float> u, Rows<float> delta, float* bias, float* skip, bool softplus, float* slope)
    {
        var exp2 = Exp2<V>.Load();
        for (var t = 0; t < steps; t++)
        {
            var ut = Read(u, row + t, _stage);
            var deltat = Read(delta, row + t, _stage + _width);
            var at = t * _width;
            for (var lane = 0; lane < Padded; lane += V.Count)
            {
                var d = V.Load(deltat + lane) + V.Load(bias + lane);
                if (softplus)
                {
                    var e = FastMath.ExpOfNegativeMagnitude(d, exp2);
                    if (slope != null)
                    {
                        V.Store(FastMath.Sigmoid(d, e), slope + at + lane);
                    }

                    d = FastMath.Softplus(d, e);
                }

                var uv = V.Load(ut + lane);
                V.Store(d, D + at + lane);
                V.Store(d * uv, DU + at + lane);
                V.Store(V.Load(skip + lane) * uv, Y + at + lane);
            }
        }
    }

    /// <summary>The gate, and y to its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void Finish(long row, int steps, Rows<float> z, Rows<float> y)
    {
        var exp2 = Exp2<V>.Load();
        for (var t = 0; t < steps; t++)
        {
            var from = Y + t * _width;
            var to = WriteTo(y, row + t, from);
            var zt = z.IsAbsent ? null : Read(z, row + t, _stage);
            for (var lane = 0; lane < Padded; lane += V.Count)
            {
                var value = V.Load(from + lane);
                if (zt != null)
                {
                    var gate = V.Load(zt + lane);
                    value *= gate * FastMath.Sigmoid(gate, FastMath.ExpOfNegativeMagnitude(gate, exp2));
                }

                V.Store(value, to + lane);
            }

            Write(to, y, row + t);
        }
    }

    /// <summary>Where the tile's part of a row can be read in whole vectors: in place, or copied to <paramref name="stage"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Read(Rows<float> rows, long row, float* stage)
    {
        var from = rows.Row(row) + _firstChannel;
        if (Channels == _width)
        {
            return from;
        }

        Unsafe.CopyBlockUnaligned(stage, from, (uint)Channels * sizeof(float));
        return stage;
    }

    /// <summary>Where the tile's part of a row can be written in whole vectors; <see cref="Write"/> then brings it to its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* WriteTo(Rows<float> rows, long row, float* stage) =>
        Channels == _width && !rows.IsAbsent ? rows.Row(row) + _firstChannel : stage;

    /// <summary>Ends what <see cref="WriteTo"/> began.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(float* from, Rows<float> rows, long row)
    {
        if (Channels != _width && !rows.IsAbsent)
        {
            Unsafe.CopyBlockUnaligned(rows.Row(row) + _firstChannel, from, (uint)Channels * sizeof(float));
        }
    }
}
