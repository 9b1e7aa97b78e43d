namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Chooses the team of threads that has a row, and how many rows each team of the backward pass has.</summary>
internal static class CudaNormPlan
{
    /// <summary>Elements of one access: 16 bytes of float32.</summary>
    public const int Pack = 4;

    private const string Source = "rms_norm";
    private const int LeastThreads = 128;

    /// <summary>Elements of a row that a thread keeps in registers.</summary>
    private const int HeldPerThread = 16;

    private static readonly CudaKernelFamily<(string Function, CudaNumber Type, CudaNumber Sum, int Pack, int Lanes)> Kernels = new(k =>
        new(Source, $"{Source}_{k.Function}", $"REAL={k.Type.Name()}", $"SUM={k.Sum.Name()}", $"VECTOR={k.Pack}", $"ITEMS={HeldPerThread / k.Pack}", $"LANES={k.Lanes}"));

    /// <summary>Threads of one multiprocessor that the blocks of the backward pass are made for: as many as its registers hold.</summary>
    private const long ThreadsPerMultiprocessor = 512;

    /// <summary>Threads that can have a row.</summary>
    public static IReadOnlyList<int> Lanes { get; } = [32, 64, 128, 512];

    public static CudaKernelVariant Variant(string function, CudaNumber type, CudaNumber sum, int pack, int lanes) =>
        Kernels[(function, type, sum, pack, lanes)];

    /// <summary>Blocks of the backward pass, each with a row of partial sums, and the rows of each of its teams.</summary>
    public static (long Count, long RowsPerTeam, int Lanes) Blocks(int multiprocessors, long rows, long width)
    {
        var lanes = LanesFor(multiprocessors, rows, width);
        var each = Math.Max(1, (rows * lanes + multiprocessors * ThreadsPerMultiprocessor - 1) / (multiprocessors * ThreadsPerMultiprocessor));
        var perBlock = each * TeamsPerBlock(lanes);
        return ((rows + perBlock - 1) / perBlock, each, lanes);
    }

    public static CudaLaunch<CudaNormForwardArguments> Forward(
        int multiprocessors, CudaRows x, CudaRows residual, CudaRows weight, double epsilon, CudaRows y, CudaRows sum)
    {
        const string Operation = "RmsNorm.Forward";
        var sumType = residual.IsAbsent ? x.Type : residual.Type;
        Require(Operation, x, "x", x.Type, sumType, weight, epsilon);
        residual.RequireIfPresent(Operation, "residual", "(rows, D)", x.Count, x.Width, sumType);
        y.RequireDense(Operation, "y", "(rows, D)", x.Count, x.Width, x.Type);
        sum.RequireDenseIfPresent(Operation, "sum", "(rows, D)", x.Count, x.Width, sumType);
        var lanes = LanesFor(multiprocessors, x.Count, x.Width);
        return new(
            Variant("forward", x.Type, sumType, PackOf(x, residual, weight, y, sum), lanes),
            new CudaNormForwardArguments
            {
                X = x.Address,
                Residual = residual.Address,
                Weight = weight.Address,
                Y = y.Address,
                Sum = sum.Address,
                Rows = x.Count,
                Width = x.Width,
                XStride = x.Stride,
                ResidualStride = residual.Stride,
                Epsilon = (float)epsilon,
            },
            (x.Count + TeamsPerBlock(lanes) - 1) / TeamsPerBlock(lanes),
            Math.Max(lanes, LeastThreads));
    }

    public static (CudaLaunch<CudaNormBackwardArguments> Gradients, CudaLaunch<CudaOrderedSumsArguments> Sums) Backward(
        int multiprocessors, CudaRows sum, CudaRows weight, double epsilon, CudaRows dy, CudaRows dSum, CudaRows dx, CudaRows dResidual, CudaRows dWeight, nint scratch)
    {
        const string Operation = "RmsNorm.Backward";
        var type = !dx.IsAbsent ? dx.Type : !dy.IsAbsent ? dy.Type : sum.Type;
        Require(Operation, sum, "sum", type, sum.Type, weight, epsilon);
        dy.RequireIfPresent(Operation, "dy", "(rows, D)", sum.Count, sum.Width, type);
        dSum.RequireIfPresent(Operation, "dSum", "(rows, D)", sum.Count, sum.Width, sum.Type);
        dx.RequireDenseIfPresent(Operation, "dx", "(rows, D)", sum.Count, sum.Width, type);
        dResidual.RequireDenseIfPresent(Operation, "dResidual", "(rows, D)", sum.Count, sum.Width, sum.Type);
        dWeight.RequireDenseIfPresent(Operation, "dWeight", "(1, D)", 1, sum.Width, CudaNumber.Float32);
        var (blocks, each, lanes) = Blocks(multiprocessors, sum.Count, sum.Width);
        var gradients = new CudaLaunch<CudaNormBackwardArguments>(
            Variant("backward", type, sum.Type, PackOf(sum, weight, dy, dSum, dx, dResidual), lanes),
            new CudaNormBackwardArguments
            {
                Sum = sum.Address,
                Weight = weight.Address,
                DY = dy.Address,
                DSum = dSum.Address,
                DX = dx.Address,
                DResidual = dResidual.Address,
                Partials = dWeight.IsAbsent ? 0 : scratch,
                Rows = sum.Count,
                Width = sum.Width,
                SumStride = sum.Stride,
                DYStride = dy.Stride,
                DSumStride = dSum.Stride,
                RowsPerTeam = each,
                Epsilon = (float)epsilon,
            },
            blocks,
            Math.Max(lanes, LeastThreads));
        return (gradients, CudaOrderedSums.Plan(scratch, blocks, sum.Width, 1, 1, dWeight.Address, 0));
    }

    private static void Require(string operation, CudaRows rows, string argument, CudaNumber type, CudaNumber sumType, CudaRows weight, double epsilon)
    {
        if (rows.Width < 1 || rows.Count < 0)
        {
            throw new ArgumentException($"{operation}: {argument} has shape ({rows.Count}, {rows.Width}); expected (rows, D) with rows ≥ 0 and D ≥ 1.", argument);
        }

        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new ArgumentException(FormattableString.Invariant($"{operation}: epsilon is {epsilon}; expected a finite number > 0."), nameof(epsilon));
        }

        if (sumType != type && sumType != CudaNumber.Float32)
        {
            throw new ArgumentException($"{operation}: the sum is {sumType} where x is {type}; expected {type} or {CudaNumber.Float32}.", "sum");
        }

        rows.Require(operation, argument, "(rows, D)", rows.Count, rows.Width, rows.Type);
        weight.RequireDense(operation, "weight", "(1, D)", 1, rows.Width, CudaNumber.Float32);
    }

    private static int PackOf(params ReadOnlySpan<CudaRows> all) => CudaRows.Pack(Pack, all) == Pack ? Pack : 1;

    private static int TeamsPerBlock(int lanes) => Math.Max(1, LeastThreads / lanes);

    /// <summary>The smallest team whose registers hold a row; the next larger one while rows are too few to fill the GPU.</summary>
    private static int LanesFor(int multiprocessors, long rows, long width)
    {
        var i = 0;
        while (i < Lanes.Count - 1 && Lanes[i] * HeldPerThread < width)
        {
            i++;
        }

        while (i < Lanes.Count - 1 && Lanes[i] * Pack < width && rows * Lanes[i] < multiprocessors * ThreadsPerMultiprocessor)
        {
            i++;
        }

        return Lanes[i];
    }
}
