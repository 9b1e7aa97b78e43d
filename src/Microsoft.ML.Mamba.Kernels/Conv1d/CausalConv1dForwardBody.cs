using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// <see cref="CausalConv1d.Forward"/> in vectors. Lanes are channels; a tile is <see cref="TileRows"/> neighbouring steps, so
/// that a tap is read once for all of them and every row is read and written in the order of memory.
/// </summary>
internal readonly unsafe struct CausalConv1dForwardBody(CausalConv1dForward<float> arguments, int threads) : IVectorBody
{
    /// <summary>Steps that one pass over the channels computes.</summary>
    public const int TileRows = 4;

    /// <summary>Floats per work item: some ten microseconds, against one or two for handing it to a thread.</summary>
    private const long ItemElements = 32 * 1024;

    /// <summary>Channels per work item: the rows of a tile and the taps stay in the second-level cache; shorter pieces of rows are read at a lower rate.</summary>
    private const long ItemChannels = 2048;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var dims = arguments.Dims;
        var columns = new RowBlocks(dims.Channels, ItemChannels);
        var steps = RowBlocks.OfElements(dims.Steps, Math.Min(dims.Channels, ItemChannels), ItemElements, TileRows);
        var items = steps.Count * columns.Count;
        var stride = PooledFloats.Padded(dims.Channels);
        using var memory = new PooledFloats(ConvTaps.Length(dims) + KernelThreads.Workers(items, threads) * stride);
        var taps = new ConvTaps(dims, arguments.Weight, arguments.Bias, memory.Pointer);
        KernelThreads.For(items, threads, new Work<V>(arguments, taps, steps, columns, memory.Pointer + ConvTaps.Length(dims)));
        CopyFinalState();
    }

    private void CopyFinalState()
    {
        var (batch, length, channels, _) = arguments.Dims;
        var history = arguments.Dims.History;
        for (long row = 0; row < batch * history && !arguments.FinalState.IsAbsent; row++)
        {
            var (b, t) = (row / history, length - history + row % history);
            var target = new Span<float>(arguments.FinalState.Row(row), (int)channels);
            if (t < 0 && arguments.InitialState.IsAbsent)
            {
                target.Clear();
                continue;
            }

            var source = t >= 0 ? arguments.X.Row(b * length + t) : arguments.InitialState.Row(b * history + history + t);
            new Span<float>(source, (int)channels).CopyTo(target);
        }
    }

    /// <summary>Work items: blocks of steps, regardless of where sequences begin, times blocks of channels.</summary>
    private readonly struct Work<V>(CausalConv1dForward<float> a, ConvTaps taps, RowBlocks steps, RowBlocks columns, float* discarded) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker)
        {
            var (stepBlock, columnBlock) = (item / columns.Count, item % columns.Count);
            var (from, to) = (columns.First(columnBlock), columns.End(columnBlock));
            var (length, history) = (a.Dims.Length, a.Dims.History);
            var x = stackalloc float*[ConvDims.MaxWidth - 1 + TileRows];
            var y = stackalloc float*[TileRows];
            var end = steps.End(stepBlock);
            for (var step = steps.First(stepBlock); step < end;)
            {
                var (b, t) = (step / length, step % length);
                var count = Math.Min(Math.Min(TileRows, end - step), length - t);
                for (long k = 0; k < history + TileRows; k++)
                {
                    x[k] = k < history + count ? Input(b, t - history + k) : taps.Zeros;
                }

                for (long i = 0; i < TileRows; i++)
                {
                    y[i] = i < count ? a.Y.Row(step + i) : discarded + worker * taps.Stride;
                }

                Columns(x, y, from, to);
                step += count;
            }
        }

        private float* Input(long b, long t) =>
            t >= 0 ? a.X.Row(b * a.Dims.Length + t)
            : a.InitialState.IsAbsent ? taps.Zeros
            : a.InitialState.Row(b * a.Dims.History + a.Dims.History + t);

        /// <summary>Whole vectors, then the channels that are left over in smaller ones.</summary>
        private void Columns(float** x, float** y, long from, long to)
        {
            from = a.Dims.Width == 4 ? FourTaps(x, y, from, to) : from;
            from = Columns<V>(x, y, from, to);
            if (V.Count > Vector128Float.Count)
            {
                from = Columns<Vector128Float>(x, y, from, to);
            }

            Columns<ScalarFloat>(x, y, from, to);
        }

        /// <summary>
        /// The whole vectors for W = 4, the width of every published model: the same operations in the same order as
        /// <see cref="Columns{TVector}"/>, with every row read once and kept in a register.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private long FourTaps(float** x, float** y, long c, long to)
        {
            var (stride, silu) = (taps.Stride, a.Silu);
            for (; c + V.Count <= to; c += V.Count)
            {
                var tap = taps.Taps + c;
                var (w0, w1, w2, w3, bias) = (V.Load(tap), V.Load(tap + stride), V.Load(tap + 2 * stride), V.Load(tap + 3 * stride), V.Load(tap + 4 * stride));
                var (x0, x1, x2, x3) = (V.Load(x[0] + c), V.Load(x[1] + c), V.Load(x[2] + c), V.Load(x[3] + c));
                var (x4, x5, x6) = (V.Load(x[4] + c), V.Load(x[5] + c), V.Load(x[6] + c));
                var p0 = Dot(w0, x0, w1, x1, w2, x2, w3, x3, bias);
                var p1 = Dot(w0, x1, w1, x2, w2, x3, w3, x4, bias);
                var p2 = Dot(w0, x2, w1, x3, w2, x4, w3, x5, bias);
                var p3 = Dot(w0, x3, w1, x4, w2, x5, w3, x6, bias);
                V.Store(silu ? FastMath.Silu(p0) : p0, y[0] + c);
                V.Store(silu ? FastMath.Silu(p1) : p1, y[1] + c);
                V.Store(silu ? FastMath.Silu(p2) : p2, y[2] + c);
                V.Store(silu ? FastMath.Silu(p3) : p3, y[3] + c);
            }

            return c;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Dot(V a0, V b0, V a1, V b1, V a2, V b2, V a3, V b3, V sum) =>
            V.MultiplyAdd(a3, b3, V.MultiplyAdd(a2, b2, V.MultiplyAdd(a1, b1, V.MultiplyAdd(a0, b0, sum))));

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private long Columns<TVector>(float** x, float** y, long from, long to)
            where TVector : struct, IFloatVector<TVector>
        {
            var (width, stride, silu) = (a.Dims.Width, taps.Stride, a.Silu);
            for (; from + TVector.Count <= to; from += TVector.Count)
            {
                var p0 = TVector.Load(taps.Bias + from);
                var (p1, p2, p3) = (p0, p0, p0);
                var tap = taps.Taps + from;
                for (var row = x; row < x + width; row++, tap += stride)
                {
                    var w = TVector.Load(tap);
                    p0 = TVector.MultiplyAdd(w, TVector.Load(row[0] + from), p0);
                    p1 = TVector.MultiplyAdd(w, TVector.Load(row[1] + from), p1);
                    p2 = TVector.MultiplyAdd(w, TVector.Load(row[2] + from), p2);
                    p3 = TVector.MultiplyAdd(w, TVector.Load(row[3] + from), p3);
                }

                if (silu)
                {
                    p0 = FastMath.Silu(p0);
                    p1 = FastMath.Silu(p1);
                    p2 = FastMath.Silu(p2);
                    p3 = FastMath.Silu(p3);
                }

                TVector.Store(p0, y[0] + from);
                TVector.Store(p1, y[1] + from);
                TVector.Store(p2, y[2] + from);
                TVector.Store(p3, y[3] + from);
            }

            return from;
        }
    }
}
