namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>The launch of token_step: one token of a few sequences through a whole model, by as many blocks as run at once.</summary>
internal static class CudaTokenStep
{
    private const string Source = "token_step";
    private const int WarpLanes = 32;
    private const int Warps = 32;
    private const int PhasesOfBlock = 4;
    private const int AccessBytes = 16;

    private static readonly int[] RowsOfVariants = [1, 2, 4, CudaTokenSteps.MostRows];

    private static readonly CudaKernelFamily<(CudaNumber Type, int Rows)> Kernels = new(k => new(Source, Source, $"REAL={k.Type.Name()}", $"ROWS={k.Rows}"));

    /// <summary>Every kernel that can be launched.</summary>
    public static IReadOnlyList<CudaKernelVariant> Variants { get; } = [.. from type in CudaNumbers.All from rows in RowsOfVariants select Kernels[(type, rows)]];

    /// <summary>Plans the launch of all phases; addresses of memory that steps share are left to the caller.</summary>
    /// <param name="model">A valid model.</param>
    /// <param name="multiprocessors">Blocks of the grid.</param>
    public static CudaLaunch<CudaTokenStepArguments> Plan(CudaTokenModel model, int multiprocessors)
    {
        var (batch, width, channels, taps, states, rank) = model.Dims;
        var rows = RowsOfVariants.First(count => count >= batch);
        var arguments = new CudaTokenStepArguments
        {
            Embedding = model.Embedding.Address,
            LastNorm = model.LastNorm.Address,
            Head = model.Head.Address,
            Vocabulary = model.Embedding.Count,
            Batch = (int)batch,
            Model = checked((int)width),
            Channels = checked((int)channels),
            Width = taps,
            States = states,
            Rank = rank,
            Layers = model.Blocks.Count,
            EndPhase = 2 + PhasesOfBlock * model.Blocks.Count,
            InSplit = Split(2 * channels, width * model.Type.Bytes(), multiprocessors),
            SelectSplit = Split(model.Dims.Selected, channels * model.Type.Bytes(), multiprocessors),
            OutSplit = Split(width, channels * model.Type.Bytes(), multiprocessors),
            HeadSplit = Split(model.Embedding.Count, width * sizeof(float), multiprocessors),
            NormEpsilon = (float)model.NormEpsilon,
            SelectionEpsilon = (float)model.SelectionEpsilon,
        };
        return new(Kernels[(model.Type, rows)], arguments, multiprocessors, Warps * WarpLanes, SharedBytes(model, rows), Cooperative: true);
    }

    /// <summary>Shared memory of a block: sums of warps, the table, and the widest vectors that a phase multiplies with.</summary>
    private static unsafe int SharedBytes(CudaTokenModel model, int rows)
    {
        var widest = Math.Max(Math.Max(model.Dims.Model, model.Dims.Channels), model.Dims.Selected);
        return checked((int)(model.Blocks.Count * sizeof(CudaTokenBlockArguments) + sizeof(float) * rows * (2 * Warps + widest)));
    }

    /// <summary>Binary logarithm of the warps that share a row of a matrix: more where there are fewer rows than warps and a row is long enough.</summary>
    private static int Split(long count, long rowBytes, int multiprocessors)
    {
        var rowsOfBlock = (count + multiprocessors - 1) / multiprocessors;
        var split = 0;
        while (rowsOfBlock << (split + 1) <= Warps && WarpLanes * AccessBytes << split < rowBytes)
        {
            split++;
        }

        return split;
    }
}
