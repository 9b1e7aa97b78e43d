namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A causal model of ids in a GPU's memory with the states of a few sequences, for <see cref="CudaTokenSteps"/>.</summary>
public sealed class CudaTokenModel
{
    /// <summary>Sizes; B is 1 to <see cref="CudaTokenSteps.MostRows"/>.</summary>
    public required BlockStepDims Dims { get; init; }

    /// <summary>The blocks, first block first; their projections and the convolution's inputs are of one type.</summary>
    public required IReadOnlyList<CudaTokenBlock> Blocks { get; init; }

    /// <summary>Vectors of ids: (V, M) float32.</summary>
    public required CudaRows Embedding { get; init; }

    /// <summary>Scale of the last norm: (1, M) float32.</summary>
    public required CudaRows LastNorm { get; init; }

    /// <summary>The head: (V, M) float32; may be the table of the ids' vectors.</summary>
    public required CudaRows Head { get; init; }

    /// <summary>Added to the mean square by norms of the stream, &gt; 0.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>0, or &gt; 0 for blocks whose r, B and C pass through norms without weights: what those add.</summary>
    public double SelectionEpsilon { get; init; }

    /// <summary>Type of the blocks' projections.</summary>
    internal CudaNumber Type => Blocks[0].In.Type;

    /// <summary>Whether rows of all matrices begin at multiples of 16 bytes, which the kernel reads at once.</summary>
    internal bool IsAligned => IsWhole(Embedding) && IsWhole(Head) && Blocks.All(block => IsWhole(block.In) && IsWhole(block.Select) && IsWhole(block.Out));

    internal void Require()
    {
        Dims.Require(CudaTokenSteps.Operation);
        if (Dims.Batch is < 1 or > CudaTokenSteps.MostRows || Blocks.Count == 0)
        {
            throw new ArgumentException($"{CudaTokenSteps.Operation}: {Dims.Batch} sequences and {Blocks.Count} blocks; expected 1 to {CudaTokenSteps.MostRows} and at least 1.", nameof(Dims));
        }

        if (!(NormEpsilon > 0 && double.IsFinite(NormEpsilon)) || !(SelectionEpsilon >= 0 && double.IsFinite(SelectionEpsilon)))
        {
            throw new ArgumentException(
                $"{CudaTokenSteps.Operation}: NormEpsilon is {NormEpsilon} and SelectionEpsilon is {SelectionEpsilon}; expected finite numbers > 0 and ≥ 0.", nameof(NormEpsilon));
        }

        Embedding.RequireDense(CudaTokenSteps.Operation, "embedding", "(V, M)", Embedding.Count, Dims.Model, CudaNumber.Float32);
        LastNorm.RequireDense(CudaTokenSteps.Operation, "lastNorm", "(1, M)", 1, Dims.Model, CudaNumber.Float32);
        Head.RequireDense(CudaTokenSteps.Operation, "head", "(V, M)", Embedding.Count, Dims.Model, CudaNumber.Float32);
        foreach (var block in Blocks)
        {
            block.Require(CudaTokenSteps.Operation, Dims, Type);
        }
    }

    private static bool IsWhole(CudaRows rows) => CudaRows.Pack(16 / rows.Type.Bytes(), rows) * rows.Type.Bytes() == 16;
}
