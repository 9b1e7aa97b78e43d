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

    /// <summary>Channels per work item: seven input rows and the taps stay in the first-level cache.</summary>
    private const long ItemChannels = 1024;

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
            from = Columns<V>(x, y, from, to);
            if (V.Count > Vector128Float.Count)
            {
                from = Columns<Vector128Float>(x, y, from, to);
            }

            Columns<ScalarFloat>(x, y, from, to);
        }

        private long Columns<TVector>(float** x, float** y, long from, long to)
            where TVector : struct, IFloatVector<TVector>
        {
            var (width, stride, silu) = (a.Dims.Width, taps.Stride, a.Silu);
            for (; from + TVector.Count <= to; from += TVector.Count)
            {
                var p0 = TVector.Load(taps.Bias + from);
                var (p1, p2, p3) = (p0, p0, p0);
                var tap = taps.Taps + from;
                for (var j = 0; j < width; j++, tap += stride)
                {
                    var w = TVector.Load(tap);
                    p0 = TVector.MultiplyAdd(w, TVector.Load(x[j] + from), p0);
                    p1 = TVector.MultiplyAdd(w, TVector.Load(x[j + 1] + from), p1);
                    p2 = TVector.MultiplyAdd(w, TVector.Load(x[j + 2] + from), p2);
                    p3 = TVector.MultiplyAdd(w, TVector.Load(x[j + 3] + from), p3);
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
