using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// <see cref="CausalConv1d.Backward"/> in vectors. With p the sums before SiLU and dp their gradients,
/// <code>
/// dp[t] = dy[t]·silu'(p[t]),   dx[t] = sum_k weight[:, W-1-k]·dp[t+k],   dweight[:, j] = sum_t dp[t]·x[t-(W-1)+j]
/// </code>
/// A work item walks down in time, so that the W-1 later dp that dx needs have just been computed; where it starts inside a
/// sequence it computes them first. Each item sums its own part of dweight and dbias; the parts are added in order.
/// </summary>
internal readonly unsafe struct CausalConv1dBackwardBody(CausalConv1dBackward<float> arguments, int threads) : IVectorBody
{
    private const int TileRows = CausalConv1dForwardBody.TileRows;

    /// <summary>Steps per work item at least: its sums are W+1 rows to write and to read again.</summary>
    private const long ItemSteps = 128;

    /// <summary>Blocks of steps at most: bounds the memory of the sums.</summary>
    private const long MostStepBlocks = 64;

    private const long ItemElements = 32 * 1024;
    private const long ItemChannels = 2048;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var dims = arguments.Dims;
        var columns = new RowBlocks(dims.Channels, ItemChannels);
        var least = RowBlocks.OfElements(dims.Steps, Math.Min(dims.Channels, ItemChannels), ItemElements, TileRows);
        var steps = new RowBlocks(dims.Steps, Math.Max(Math.Max(ItemSteps, least.Size), (dims.Steps + MostStepBlocks - 1) / MostStepBlocks));
        var items = steps.Count * columns.Count;
        var stride = PooledFloats.Padded(dims.Channels);
        var workers = KernelThreads.Workers(items, threads);
        var (tapsLength, sumsLength, workerLength) = (ConvTaps.Length(dims), Math.Max(1, steps.Count) * (dims.Width + 1) * stride, dims.Width * stride);
        using var memory = new PooledFloats(tapsLength + sumsLength + workers * workerLength);
        var taps = new ConvTaps(dims, arguments.Weight, arguments.Bias, memory.Pointer);
        var sums = memory.Pointer + tapsLength;
        KernelThreads.For(items, threads, new Work<V>(arguments, taps, steps, columns, sums, sums + sumsLength));
        AddSums<V>(sums, steps.Count, stride);
        AddFinalState();
    }

    /// <summary>Adds the items' sums in order, and transposes dweight to (D, W).</summary>
    private void AddSums<V>(float* sums, long blocks, long stride)
        where V : struct, IFloatVector<V>
    {
        var (channels, width) = (arguments.Dims.Channels, arguments.Dims.Width);
        var block = (width + 1) * stride;
        if (blocks == 0)
        {
            NativeMemory.Clear(sums, (nuint)block * sizeof(float));
        }

        for (long i = 0; i < block && blocks > 1; i += V.Count)
        {
            var sum = V.Load(sums + i);
            for (long other = 1; other < blocks; other++)
            {
                sum += V.Load(sums + other * block + i);
            }

            V.Store(sum, sums + i);
        }

        for (long c = 0; c < channels && !arguments.DWeight.IsAbsent; c++)
        {
            for (var j = 0; j < width; j++)
            {
                arguments.DWeight.Row(c)[j] = sums[j * stride + c];
            }
        }

        if (!arguments.DBias.IsAbsent)
        {
            NativeMemory.Copy(sums + width * stride, arguments.DBias.Pointer, (nuint)channels * sizeof(float));
        }
    }

    /// <summary>The final state is a copy of the last W-1 inputs: its gradient is added to theirs.</summary>
    private void AddFinalState()
    {
        var (batch, length, channels, _) = arguments.Dims;
        var history = arguments.Dims.History;
        if (length == 0 && !arguments.DInitialState.IsAbsent)
        {
            for (long row = 0; row < batch * history; row++)
            {
                NativeMemory.Clear(arguments.DInitialState.Row(row), (nuint)channels * sizeof(float));
            }
        }

        for (long row = 0; row < batch * history && !arguments.DFinalState.IsAbsent; row++)
        {
            var (b, t) = (row / history, length - history + row % history);
            var target = t >= 0 ? arguments.DX : arguments.DInitialState;
            if (target.IsAbsent)
            {
                continue;
            }

            var to = target.Row(t >= 0 ? b * length + t : b * history + history + t);
            var from = arguments.DFinalState.Row(row);
            for (long c = 0; c < channels; c++)
            {
                to[c] += from[c];
            }
        }
    }

    /// <summary>Work items: blocks of steps, regardless of where sequences begin, times blocks of channels.</summary>
    private readonly struct Work<V>(
        CausalConv1dBackward<float> a, ConvTaps taps, RowBlocks steps, RowBlocks columns, float* sums, float* workers) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public void Run(long item, int worker)
        {
            var (stepBlock, columnBlock) = (item / columns.Count, item % columns.Count);
            var (length, history) = (a.Dims.Length, a.Dims.History);
            var later = workers + worker * a.Dims.Width * taps.Stride;
            var x = stackalloc float*[ConvDims.MaxWidth - 1 + TileRows];
            var dy = stackalloc float*[TileRows];
            var dx = stackalloc float*[TileRows];
            var tile = new CausalConv1dGradientTile<V>
            {
                Width = a.Dims.Width,
                Silu = a.Silu,
                From = columns.First(columnBlock),
                To = columns.End(columnBlock),
                Taps = taps,
                X = x,
                DY = dy,
                DX = dx,
                Later = later,
                Discarded = later + history * taps.Stride,
                Sums = sums + stepBlock * (a.Dims.Width + 1) * taps.Stride,
            };

            var (first, end) = (steps.First(stepBlock), steps.End(stepBlock));
            Clear(tile.Later, history, tile);
            ComputeLater(tile, end);
            Clear(tile.Sums, a.Dims.Width + 1, tile);
            while (end > first)
            {
                var b = (end - 1) / length;
                var (least, top) = (Math.Max(0, first - b * length), end - b * length);
                end = b * length + least;
                if (top == length)
                {
                    Clear(tile.Later, history, tile);
                }

                Walk(tile, b, least, top, discard: false);
                if (least == 0 && !a.DInitialState.IsAbsent)
                {
                    Walk(tile, b, -history, 0, discard: false);
                }
            }
        }

        /// <summary>The dp after the block's end, where its last sequence goes on.</summary>
        private void ComputeLater(in CausalConv1dGradientTile<V> tile, long end)
        {
            var (length, b) = (a.Dims.Length, (end - 1) / a.Dims.Length);
            var t = end - b * length;
            Walk(tile, b, t, Math.Min(length, t + a.Dims.History), discard: true);
        }

        /// <summary>Tiles from step top - 1 down to step least of a sequence; steps before 0 are those of the initial state.</summary>
        private void Walk(in CausalConv1dGradientTile<V> tile, long b, long least, long top, bool discard)
        {
            var history = a.Dims.History;
            for (; top > least; top -= TileRows)
            {
                // A tile of fewer steps leaves out the first ones: the later dp must follow without a gap.
                var skip = Math.Max(0, TileRows - (top - least));
                for (long k = 0; k < history + TileRows; k++)
                {
                    tile.X[k] = k < skip || top <= 0 ? taps.Zeros : Input(b, top - TileRows - history + k);
                }

                for (long i = 0; i < TileRows; i++)
                {
                    var t = top - TileRows + i;
                    tile.DY[i] = i < skip || t < 0 ? taps.Zeros : a.DY.Row(b * a.Dims.Length + t);
                    tile.DX[i] = i < skip || discard ? tile.Discarded : Gradient(b, t, tile.Discarded);
                }

                tile.Compute((int)skip);
            }
        }

        private float* Input(long b, long t) =>
            t >= 0 ? a.X.Row(b * a.Dims.Length + t)
            : a.InitialState.IsAbsent ? taps.Zeros
            : a.InitialState.Row(b * a.Dims.History + a.Dims.History + t);

        private float* Gradient(long b, long t, float* discarded) =>
            t >= 0 ? (a.DX.IsAbsent ? discarded : a.DX.Row(b * a.Dims.Length + t))
            : a.DInitialState.Row(b * a.Dims.History + a.Dims.History + t);

        private static void Clear(float* rows, long count, in CausalConv1dGradientTile<V> tile)
        {
            for (long row = 0; row < count; row++)
            {
                NativeMemory.Clear(rows + row * tile.Taps.Stride + tile.From, (nuint)(tile.To - tile.From) * sizeof(float));
            }
        }
    }
}
