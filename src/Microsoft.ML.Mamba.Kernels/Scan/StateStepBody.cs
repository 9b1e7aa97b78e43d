using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>One step of the scan for one vector width. Work items are tiles of channels of one sequence.</summary>
internal readonly unsafe struct StateStepBody(SelectiveStateUpdateStep<float> step, int threadsAtMost) : IVectorBody
{
    // Below it waking another thread takes longer than the work: some microseconds.
    private const long UpdatesWorthThreads = 1 << 16;

    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var dims = step.Dims with { Length = 1 };
        var threads = dims.Batch * dims.Channels * dims.State < UpdatesWorthThreads ? 1 : threadsAtMost;
        var tiles = new ScanTiles(dims, V.Count);
        var items = dims.Batch * tiles.PerSequence;
        using var scratch = Scratch.Rent((long)KernelThreads.Workers(items, threads) * StateStepTile<V>.ScratchLength);
        KernelThreads.For(items, threads, new StateStepTile<V>(step, tiles, scratch.Pointer));
    }
}

/// <summary>
/// One step of one tile. Step sizes and gate have channels as lanes, as in a scan; the states have the states of one channel as
/// lanes, as they lie in memory: a single step would pay more for turning them around than for the sums across lanes.
/// </summary>
internal readonly unsafe struct StateStepTile<V>(SelectiveStateUpdateStep<float> step, ScanTiles tiles, float* scratch) : IKernelWork
    where V : struct, IFloatVector<V>
{
    /// <summary>Floats per worker: two parameters of a tile, partial sums of a vector of channels, a block.</summary>
    public static int ScratchLength => ScanTiles.WholePages(2 * ScanBlock<V>.Width + V.Count * V.Count + ScanBlock<V>.ScratchLength);

    public void Run(long item, int worker)
    {
        var (batch, tile) = (item / tiles.PerSequence, item % tiles.PerSequence);
        var (first, channels) = (tiles.FirstChannel(tile), tiles.Channels(tile));
        var bias = scratch + (long)worker * ScratchLength;
        var skip = bias + ScanBlock<V>.Width;
        var sums = skip + ScanBlock<V>.Width;
        CopyPadded(step.DeltaBias, first, channels, bias);
        CopyPadded(step.D, first, channels, skip);
        var block = new ScanBlock<V>(sums + V.Count * V.Count, first, channels);
        block.ClearStage();

        block.Prepare(batch, 1, step.U, step.Delta, bias, skip, step.DeltaSoftplus, slope: null);
        var firstColumn = tiles.Group(tile) * step.Dims.State;
        var inVectors = step.Dims.State / V.Count * V.Count;
        for (long channel = 0; channel < channels; channel += V.Count)
        {
            var states = new StateStepRows(step, batch, first + channel, firstColumn, Math.Min(V.Count, channels - channel));
            Advance<V>(states, block.D + channel, block.DU + channel, 0, inVectors, sums);
            V.AddRowSums(sums, V.Count, block.Y + channel);
            if (inVectors < step.Dims.State)
            {
                Advance<ScalarFloat>(states, block.D + channel, block.DU + channel, inVectors, step.Dims.State, sums);
                for (long i = 0; i < states.Channels; i++)
                {
                    block.Y[channel + i] += sums[i];
                }
            }
        }

        block.Finish(batch, 1, step.Z, step.Y);
    }

    private static void CopyPadded(Rows<float> parameter, long first, int channels, float* to)
    {
        var values = new Span<float>(to, ScanBlock<V>.Width);
        values.Clear();
        if (!parameter.IsAbsent)
        {
            new ReadOnlySpan<float>(parameter.Pointer + first, channels).CopyTo(values);
        }
    }

    /// <summary>
    /// h = exp(d·A)·h + d·u·B for some states of up to a vector of channels. Leaves C·h in a row of <paramref name="sums"/> for each
    /// channel, not yet summed over the lanes, and zeros in the rows of the channels that are not there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Advance<W>(in StateStepRows rows, float* d, float* du, long from, long to, float* sums)
        where W : struct, IFloatVector<W>
    {
        var exp2 = Exp2<W>.Load();
        var log2E = W.Broadcast(FastMath.Log2E);
        float* h = rows.H, a = rows.A, b = rows.B, c = rows.C;
        long channels = rows.Channels, hStride = rows.HStride, aStride = rows.AStride;
        var (isLog, scale) = (rows.AIsLog, rows.AIsLog ? -FastMath.Log2E : FastMath.Log2E);
        for (long i = 0; i < channels; i++)
        {
            var exponent = W.Broadcast(d[i] * scale);
            var pushed = W.Broadcast(du[i]);
            var sum = W.Zero;
            for (var n = from; n < to; n += W.Count)
            {
                var rate = W.Load(a + n);
                if (isLog)
                {
                    rate = exp2.Of(rate * log2E);
                }

                var next = W.MultiplyAdd(exp2.Of(rate * exponent), W.Load(h + n), pushed * W.Load(b + n));
                W.Store(next, h + n);
                sum = W.MultiplyAdd(next, W.Load(c + n), sum);
            }

            W.Store(sum, sums + i * W.Count);
            h += hStride;
            a += aStride;
        }

        for (var i = channels; i < W.Count; i++)
        {
            W.Store(W.Zero, sums + i * W.Count);
        }
    }
}

/// <summary>Where the states and parameters of a few neighbouring channels of one sequence lie.</summary>
internal readonly unsafe struct StateStepRows
{
    public readonly float* H, A, B, C;
    public readonly long HStride, AStride, Channels;
    public readonly bool AIsLog;

    public StateStepRows(in SelectiveStateUpdateStep<float> step, long batch, long firstChannel, long firstColumn, long channels)
    {
        H = step.State.Row(batch * step.Dims.Channels + firstChannel);
        A = step.A.Row(firstChannel);
        B = step.B.Row(batch) + firstColumn;
        C = step.C.Row(batch) + firstColumn;
        (HStride, AStride, Channels, AIsLog) = (step.State.Stride, step.A.Stride, channels, step.AIsLog);
    }
}
