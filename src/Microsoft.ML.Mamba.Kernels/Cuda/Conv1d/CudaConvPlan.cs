namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// Cuts a convolution into launches. A thread walks a piece of a sequence for a few neighbouring channels; there are as many pieces
/// as fill the GPU twice, and no more: each reads W-1 rows of its neighbour's again and leaves partial sums of its own.
/// </summary>
internal static class CudaConvPlan
{
    private const string Source = "causal_conv1d";
    private const int Threads = 128;
    private const int StepsAhead = 4;
    private const int LeastForwardSteps = 8;
    private const int LeastBackwardSteps = 16;

    private static readonly CudaKernelFamily<(string Function, CudaNumber Type, int Width, int Pack)> Kernels = new(k =>
        new(Source, $"{Source}_{k.Function}", $"REAL={k.Type.Name()}", $"WIDTH={k.Width}", $"VECTOR={k.Pack}"));

    /// <summary>Threads of one multiprocessor (registers leave room for 512 at a time) that pieces are made for.</summary>
    private const long ThreadsPerMultiprocessor = 1024;

    /// <summary>Channels per thread: 16 bytes, as far as taps and inputs of so many channels stay in registers.</summary>
    public static int ForwardPack(CudaNumber type, int width) => width > 4 ? 2 : 16 / type.Bytes();

    /// <summary>The backward pass holds twice as much per channel.</summary>
    public static int BackwardPack(int width) => width > 4 ? 2 : 4;

    public static CudaKernelVariant Variant(string function, CudaNumber type, int width, int pack) => Kernels[(function, type, width, pack)];

    /// <summary>Rows of partial sums of the backward pass.</summary>
    public static long PartialRows(int multiprocessors, ConvDims dims) => dims.Batch * BackwardPieces(multiprocessors, dims).Segments;

    public static CudaLaunch<CudaConvForwardArguments> Forward(
        int multiprocessors, ConvDims dims, CudaRows x, CudaRows weight, CudaRows bias, CudaRows initial, bool silu, CudaRows y, CudaRows last)
    {
        const string Operation = "CausalConv1d.Forward";
        Require(Operation, dims, x, weight, bias, initial);
        y.RequireDense(Operation, "y", "(B·L, D)", dims.Steps, dims.Channels, x.Type);
        last.RequireDenseIfPresent(Operation, "last", "(B·(W-1), D)", dims.Batch * dims.History, dims.Channels, x.Type);
        var pack = Supported(ForwardPack(x.Type, dims.Width), CudaRows.Pack(ForwardPack(x.Type, dims.Width), x, initial, y, last));
        var (segments, steps) = Pieces(multiprocessors, dims, ForwardPack(x.Type, dims.Width), LeastForwardSteps);
        return new(
            Variant("forward", x.Type, dims.Width, pack),
            new CudaConvForwardArguments
            {
                X = x.Address,
                Weight = weight.Address,
                Bias = bias.Address,
                Initial = initial.Address,
                Y = y.Address,
                Last = last.Address,
                Batch = dims.Batch,
                Length = dims.Length,
                Channels = dims.Channels,
                XStride = x.Stride,
                InitialStride = initial.Stride,
                Segments = segments,
                Steps = steps,
                Silu = silu ? 1 : 0,
            },
            Blocks(dims, segments, pack),
            Threads);
    }

    public static (CudaLaunch<CudaConvBackwardArguments> Gradients, CudaLaunch<CudaOrderedSumsArguments> Sums) Backward(
        int multiprocessors, ConvDims dims, CudaRows x, CudaRows weight, CudaRows bias, CudaRows initial, bool silu, CudaRows dy, CudaRows dLast,
        CudaRows dx, CudaRows dWeight, CudaRows dBias, CudaRows dInitial, nint scratch)
    {
        const string Operation = "CausalConv1d.Backward";
        var states = dims.Batch * dims.History;
        Require(Operation, dims, x, weight, bias, initial);
        dy.RequireIfPresent(Operation, "dy", "(B·L, D)", dims.Steps, dims.Channels, x.Type);
        dLast.RequireIfPresent(Operation, "dLast", "(B·(W-1), D)", states, dims.Channels, x.Type);
        dx.RequireIfPresent(Operation, "dx", "(B·L, D)", dims.Steps, dims.Channels, x.Type);
        dInitial.RequireDenseIfPresent(Operation, "dInitial", "(B·(W-1), D)", states, dims.Channels, x.Type);
        dWeight.RequireDenseIfPresent(Operation, "dWeight", "(D, W)", dims.Channels, dims.Width, CudaNumber.Float32);
        dBias.RequireDenseIfPresent(Operation, "dBias", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        var sums = !dWeight.IsAbsent || !dBias.IsAbsent;
        var pack = Supported(BackwardPack(dims.Width), CudaRows.Pack(BackwardPack(dims.Width), x, initial, dy, dLast, dx, dInitial));
        var (segments, steps) = BackwardPieces(multiprocessors, dims);
        var gradients = new CudaLaunch<CudaConvBackwardArguments>(
            Variant("backward", x.Type, dims.Width, pack),
            new CudaConvBackwardArguments
            {
                X = x.Address,
                Weight = weight.Address,
                Bias = bias.Address,
                Initial = initial.Address,
                DY = dy.Address,
                DLast = dLast.Address,
                DX = dx.Address,
                DInitial = dInitial.Address,
                Partials = sums ? scratch : 0,
                Batch = dims.Batch,
                Length = dims.Length,
                Channels = dims.Channels,
                XStride = x.Stride,
                InitialStride = initial.Stride,
                DYStride = dy.Stride,
                DXStride = dx.Stride,
                DLastStride = dLast.Stride,
                Segments = segments,
                Steps = steps,
                Silu = silu ? 1 : 0,
            },
            Blocks(dims, segments, pack),
            Threads);
        return (gradients, CudaOrderedSums.Plan(scratch, dims.Batch * segments, dims.Channels, dims.Width, dims.Width + 1, dWeight.Address, dBias.Address));
    }

    public static CudaLaunch<CudaConvStepArguments> Step(ConvDims dims, CudaRows state, CudaRows x, CudaRows weight, CudaRows bias, bool silu, CudaRows y)
    {
        const string Operation = "CausalConv1d.Step";
        Require(Operation, dims, x, weight, bias, default);
        state.RequireDense(Operation, "state", "(B·(W-1), D)", dims.Batch * dims.History, dims.Channels, x.Type);
        y.RequireDense(Operation, "y", "(B, D)", dims.Batch, dims.Channels, x.Type);
        return new(
            Variant("step", x.Type, dims.Width, 1),
            new CudaConvStepArguments
            {
                X = x.Address,
                Weight = weight.Address,
                Bias = bias.Address,
                State = state.Address,
                Y = y.Address,
                Batch = dims.Batch,
                Channels = dims.Channels,
                XStride = x.Stride,
                Silu = silu ? 1 : 0,
            },
            Blocks(dims, 1, 1),
            Threads);
    }

    private static void Require(string operation, ConvDims dims, CudaRows x, CudaRows weight, CudaRows bias, CudaRows initial)
    {
        dims.Require(operation);
        x.Require(operation, "x", "(B·L, D)", dims.Steps, dims.Channels, x.Type);
        weight.RequireDense(operation, "weight", "(D, W)", dims.Channels, dims.Width, CudaNumber.Float32);
        bias.RequireIfPresent(operation, "bias", "(1, D)", 1, dims.Channels, CudaNumber.Float32);
        initial.RequireIfPresent(operation, "initial", "(B·(W-1), D)", dims.Batch * dims.History, dims.Channels, x.Type);
    }

    private static (long Segments, int Steps) BackwardPieces(int multiprocessors, ConvDims dims) =>
        Pieces(multiprocessors, dims, BackwardPack(dims.Width), LeastBackwardSteps);

    /// <summary>The same for every alignment, so that the memory for partial sums is known before addresses are.</summary>
    private static (long Segments, int Steps) Pieces(int multiprocessors, ConvDims dims, int pack, int least)
    {
        var columns = dims.Batch * ((dims.Channels + pack - 1) / pack);
        var steps = (double)columns * dims.Length / (multiprocessors * ThreadsPerMultiprocessor);
        var rounded = (int)Math.Clamp(Math.Ceiling(steps / StepsAhead) * StepsAhead, least, 1 << 30);
        return (Math.Max(1, (dims.Length + rounded - 1) / rounded), rounded);
    }

    /// <summary>Kernels exist for single elements and for the widest access.</summary>
    private static int Supported(int widest, int pack) => pack == widest ? widest : 1;

    private static long Blocks(ConvDims dims, long segments, int pack) => (dims.Batch * segments * (dims.Channels / pack) + Threads - 1) / Threads;
}
