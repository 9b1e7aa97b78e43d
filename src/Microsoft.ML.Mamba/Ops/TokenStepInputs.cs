using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Operands of <see cref="TokenSteps"/>: sizes as in <see cref="BlockStepInputs"/>.</summary>
/// <param name="Embedding">(V, M) vectors of ids.</param>
/// <param name="Blocks">The blocks with the states that steps advance, first block first.</param>
/// <param name="LastNorm">(M).</param>
/// <param name="Head">(V, M); may be the table of the ids' vectors.</param>
/// <param name="Model">M.</param>
/// <param name="Channels">D.</param>
/// <param name="Width">W.</param>
/// <param name="State">N.</param>
/// <param name="Rank">R.</param>
/// <param name="NormEpsilon">Added by the norms of the stream.</param>
/// <param name="SelectionEpsilon">Added by norms of what is selected; 0 where there are none.</param>
internal sealed record TokenStepInputs(
    Tensor Embedding, BlockStepOperands[] Blocks, Tensor LastNorm, Tensor Head, int Model, int Channels, int Width, int State, int Rank, double NormEpsilon, double SelectionEpsilon)
{
    /// <summary>Number of sequences.</summary>
    public long Batch => Blocks[0].State.size(0);

    /// <summary>Type of the blocks' projections.</summary>
    public ScalarType Type => Blocks[0].In.dtype;

    /// <summary>
    /// Whether kernels can keep the addresses of all operands: on one device, without gaps, projections and the convolution's inputs of
    /// one type and everything else float32.
    /// </summary>
    public bool CanBeKept()
    {
        var (type, device, index) = (Type, Blocks[0].In.device_type, Blocks[0].In.device_index);
        return Operands().All(operand => operand.Tensor is not { } tensor
            || (tensor.dtype == (operand.IsTyped ? type : ScalarType.Float32) && tensor.is_contiguous() && tensor.device_type == device && tensor.device_index == index));
    }

    private IEnumerable<(Tensor? Tensor, bool IsTyped)> Operands()
    {
        foreach (var tensor in (Tensor[])[Embedding, LastNorm, Head])
            yield return (tensor, false);
        foreach (var block in Blocks)
        {
            foreach (var tensor in (Tensor[])[block.In, block.Select, block.Delta, block.Out, block.Inputs])
                yield return (tensor, true);
            foreach (var tensor in (Tensor?[])[
                block.Norm, block.InBias, block.Convolution, block.ConvolutionBias, block.DeltaBias, block.ALog, block.Skip, block.OutBias, block.State])
                yield return (tensor, false);
        }
    }
}
