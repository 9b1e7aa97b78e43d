using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary><see cref="BlockSteps.Advance"/> for one vector width: all phases of all blocks are one piece of work for the threads.</summary>
internal readonly unsafe struct BlockStepsBody(
    BlockStepDims dims, BlockStep<float>* blocks, int count, Rows<float> hidden, Rows<float> residual, double normEpsilon, double selectionEpsilon, int threads) : IVectorBody
{
    public void Run<V>()
        where V : struct, IFloatVector<V>
    {
        var plan = new BlockStepPlan(dims, V.Count, selectionEpsilon > 0);
        var shared = BlockStepMemory.Length(dims);
        using var scratch = Scratch.Rent(shared + (long)KernelThreads.Workers(count * plan.Items, threads) * StateStepTile<V>.ScratchLength);
        var memory = new BlockStepMemory(dims, scratch.Pointer);
        KernelThreads.For(count * plan.Items, threads, new Work<V>(dims, plan, memory, blocks, hidden, residual, normEpsilon, selectionEpsilon));
    }

    private readonly struct Work<V>(
        BlockStepDims dims, BlockStepPlan plan, BlockStepMemory memory, BlockStep<float>* blocks, Rows<float> hidden, Rows<float> residual,
        double normEpsilon, double selectionEpsilon) : IKernelWork
        where V : struct, IFloatVector<V>
    {
        public static bool HasPhases => true;

        public long Needs(long item)
        {
            var inBlock = item % plan.Items;
            return item - inBlock + plan.PhaseStart(inBlock);
        }

        public void Run(long item, int worker)
        {
            ref readonly var block = ref blocks[item / plan.Items];
            var inBlock = item % plan.Items;
            if (inBlock >= plan.OutStart)
            {
                var outputs = inBlock - plan.OutStart;
                LinearBlock<V>.Multiply(memory.Y, block.Out, block.OutBias, hidden, plan.Outputs.First(outputs), plan.Outputs.End(outputs));
            }
            else if (inBlock >= plan.ScanStart)
            {
                Scan(block, inBlock - plan.ScanStart, worker);
            }
            else if (inBlock >= plan.SelectionNormStart)
            {
                NormSelection();
            }
            else if (inBlock >= plan.SelectStart)
            {
                var selected = inBlock - plan.SelectStart;
                LinearBlock<V>.Multiply(memory.U, block.Select, default, memory.Selected, plan.Selected.First(selected), plan.Selected.End(selected));
            }
            else if (inBlock >= plan.InStart)
            {
                ProjectIn(block, inBlock - plan.InStart);
            }
            else
            {
                Norm(block);
            }
        }

        /// <summary>Weights do not wait for anything: what others are still computing decides what they are multiplied with.</summary>
        public void Prefetch(long item, long call)
        {
            ref readonly var block = ref blocks[item / plan.Items];
            var inBlock = item % plan.Items;
            if (inBlock >= plan.OutStart)
            {
                var outputs = inBlock - plan.OutStart;
                LinearBlock<V>.Prefetch(block.Out, plan.Outputs.First(outputs), plan.Outputs.End(outputs), call);
            }
            else if (inBlock >= plan.ScanStart)
            {
                var tiles = inBlock - plan.ScanStart;
                var first = plan.Tiles.FirstChannel(plan.TileBlocks.First(tiles));
                LinearBlock<V>.Prefetch(block.Delta, first, Math.Min(dims.Channels, first + plan.TileBlocks.Size * plan.Tiles.Width), call);
            }
            else if (inBlock >= plan.SelectStart && inBlock < plan.SelectionNormStart)
            {
                var selected = inBlock - plan.SelectStart;
                LinearBlock<V>.Prefetch(block.Select, plan.Selected.First(selected), plan.Selected.End(selected), call);
            }
            else if (inBlock >= plan.InStart && inBlock < plan.SelectStart)
            {
                var (first, end) = InRows(inBlock - plan.InStart);
                LinearBlock<V>.Prefetch(block.In, first, end, call);
            }
        }

        private void Norm(in BlockStep<float> block)
        {
            for (long b = 0; b < dims.Batch; b++)
            {
                var stream = residual.Row(b);
                var squares = RmsNormRow<V>.AddSquares(hidden.Row(b), stream, stream, dims.Model);
                RmsNormRow<V>.Scale(stream, RmsNormRow<V>.InverseRoot(squares, dims.Model, normEpsilon), block.Norm.Pointer, memory.Normed.Row(b), dims.Model);
            }
        }

        private void NormSelection()
        {
            for (long b = 0; b < dims.Batch; b++)
            {
                var selected = memory.Selected.Row(b);
                Norm(selected, dims.Rank);
                Norm(selected + dims.Rank, dims.State);
                Norm(selected + dims.Rank + dims.State, dims.State);
            }
        }

        private void Norm(float* values, long width)
        {
            var r = RmsNormRow<V>.InverseRoot(RmsNormRow<V>.Squares(values, width), width, selectionEpsilon);
            for (long i = 0; i < width; i++)
            {
                values[i] *= r;
            }
        }

        /// <summary>Rows of the projection in: first all of x, then all of z, so that the convolutions are done early.</summary>
        private (long First, long End) InRows(long item)
        {
            var (half, channels) = Math.DivRem(item, plan.Channels.Count);
            return (half * dims.Channels + plan.Channels.First(channels), half * dims.Channels + plan.Channels.End(channels));
        }

        private void ProjectIn(in BlockStep<float> block, long item)
        {
            var (first, end) = InRows(item);
            LinearBlock<V>.Multiply(memory.Normed, block.In, block.InBias, memory.Projected, first, end);
            if (end > dims.Channels)
            {
                return;
            }

            for (long b = 0; b < dims.Batch; b++)
            {
                Convolve(block, b, first, end);
            }
        }

        /// <summary>
        /// The convolution of some channels, with its SiLU, and their inputs moved on. Taps lie channel by channel, so sums have no
        /// lanes; a block begins at a whole vector, and SiLU may run over into the row's padding.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Convolve(in BlockStep<float> block, long b, long first, long end)
        {
            long history = dims.Width - 1, stride = block.Inputs.Stride;
            float* x = memory.Projected.Row(b), u = memory.U.Row(b), inputs = block.Inputs.Row(b * history), bias = block.ConvolutionBias.Pointer;
            for (var c = first; c < end; c++)
            {
                float* taps = block.Convolution.Row(c), input = inputs + c;
                var sum = bias == null ? 0 : bias[c];
                for (long j = 0; j < history - 1; j++)
                {
                    sum = float.MultiplyAddEstimate(taps[j], input[0], sum);
                    input[0] = input[stride];
                    input += stride;
                }

                sum = float.MultiplyAddEstimate(taps[history - 1], input[0], sum);
                input[0] = x[c];
                u[c] = float.MultiplyAddEstimate(taps[history], x[c], sum);
            }

            for (var c = first; c < end; c += V.Count)
            {
                V.Store(FastMath.Silu(V.Load(u + c)), u + c);
            }
        }

        private void Scan(in BlockStep<float> block, long item, int worker)
        {
            int rank = dims.Rank, state = dims.State;
            Rows<float> Columns(Rows<float> rows, long from, long width) => new((nint)(rows.Pointer + from), rows.Count, width, rows.Stride);
            var scan = block.Scan(
                dims, memory.U, memory.Delta, Columns(memory.Selected, rank, state), Columns(memory.Selected, rank + state, state),
                Columns(memory.Projected, dims.Channels, dims.Channels), memory.Y);
            var step = new StateStepTile<V>(scan, plan.Tiles, memory.Workers);
            for (var tile = plan.TileBlocks.First(item); tile < plan.TileBlocks.End(item); tile++)
            {
                var first = plan.Tiles.FirstChannel(tile);
                LinearBlock<V>.Multiply(Columns(memory.Selected, 0, rank), block.Delta, default, memory.Delta, first, first + plan.Tiles.Channels(tile));
                for (long b = 0; b < dims.Batch; b++)
                {
                    step.Run(b * plan.Tiles.PerSequence + tile, worker);
                }
            }
        }
    }
}
