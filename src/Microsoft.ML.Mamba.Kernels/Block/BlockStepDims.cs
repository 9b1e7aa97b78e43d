namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Sizes of a step through Mamba blocks.</summary>
/// <param name="Batch">B, sequences, ≥ 0.</param>
/// <param name="Model">M, width of the residual stream (DModel), ≥ 1.</param>
/// <param name="Channels">D, channels (DInner), ≥ 1.</param>
/// <param name="Width">W, taps of the convolution (DConv), 2 to 8.</param>
/// <param name="State">N, states per channel (DState), 1 to 256.</param>
/// <param name="Rank">R, numbers that step sizes are made of (DtRank), ≥ 1.</param>
public readonly record struct BlockStepDims(long Batch, long Model, long Channels, int Width, int State, int Rank)
{
    /// <summary>What a block selects by its input: R + 2·N numbers, for the step sizes, B and C.</summary>
    public long Selected => Rank + 2L * State;

    /// <summary>Of the projections of one block.</summary>
    internal double MultiplyAdds => (double)Batch * Channels * ((3.0 * Model) + Selected + Rank);

    internal ScanDims Scan => new(Batch, 1, Channels, State);

    internal ConvDims Convolution => new(Batch, 1, Channels, Width);

    internal void Require(string operation)
    {
        Scan.Require(operation);
        Convolution.Require(operation);
        if (Model < 1 || Rank < 1)
        {
            throw new ArgumentException($"{operation}: dims.Model (M) is {Model} and dims.Rank (R) is {Rank}; expected ≥ 1.", "dims");
        }
    }
}
