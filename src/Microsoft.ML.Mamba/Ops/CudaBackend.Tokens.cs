using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Kernels.Cuda;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>What generation token by token needs.</summary>
internal sealed partial class CudaBackend : ITokenStepKernels, ILargestScoreKernels
{
    public TokenSteps? PrepareTokenSteps(TokenStepInputs inputs)
    {
        if (!inputs.CanBeKept())
            return null;
        var tensors = new CudaTensors(inputs.Blocks[0].In);
        var dims = new BlockStepDims(inputs.Batch, inputs.Model, inputs.Channels, inputs.Width, inputs.State, inputs.Rank);
        var vocabulary = inputs.Embedding.size(0);
        var model = new CudaTokenModel
        {
            Dims = dims,
            Blocks = [.. inputs.Blocks.Select(block => Rows(tensors, block, dims, inputs.Type))],
            Embedding = tensors.Single(inputs.Embedding, "embedding", vocabulary, dims.Model),
            LastNorm = tensors.Single(inputs.LastNorm, "lastNorm", 1, dims.Model),
            Head = tensors.Single(inputs.Head, "head", vocabulary, dims.Model),
            NormEpsilon = inputs.NormEpsilon,
            SelectionEpsilon = inputs.SelectionEpsilon,
        };
        return CudaTokenSteps.CanRun(tensors.Device, model) ? new OneLaunchSteps(inputs, new CudaTokenSteps(tensors.Device, model)) : null;
    }

    public (float Score, int Id)[] LargestScores(Tensor scores)
    {
        using var scope = NewDisposeScope();
        var (tensors, rows) = (new CudaTensors(scores), scores.size(0));
        var found = tensors.New(ScalarType.Int32, 2, rows);
        CudaLargestScores.Find(tensors.Device, tensors.Single(scores, "scores", rows, scores.size(1)), TensorRows.Dense(found));
        GC.KeepAlive(scores);
        var words = MemoryMarshal.Cast<byte, int>(found.cpu().bytes);
        var largest = new (float, int)[rows];
        for (var row = 0; row < largest.Length; row++)
            largest[row] = (BitConverter.Int32BitsToSingle(words[row]), words[(int)rows + row]);
        return largest;
    }

    private static CudaTokenBlock Rows(in CudaTensors tensors, BlockStepOperands block, in BlockStepDims dims, ScalarType type)
    {
        var (batch, model, channels, width, state, rank) = dims;
        return new CudaTokenBlock
        {
            Norm = tensors.Single(block.Norm, "norm", 1, model),
            In = tensors.Dense(block.In, "in", 2 * channels, model, type),
            InBias = tensors.Single(block.InBias, "inBias", 1, 2 * channels),
            Convolution = tensors.Single(block.Convolution, "convolution", channels, width),
            ConvolutionBias = tensors.Single(block.ConvolutionBias, "convolutionBias", 1, channels),
            Select = tensors.Dense(block.Select, "select", dims.Selected, channels, type),
            Delta = tensors.Dense(block.Delta, "delta", channels, rank, type),
            DeltaBias = tensors.Single(block.DeltaBias, "deltaBias", 1, channels),
            ALog = tensors.Single(block.ALog, "aLog", channels, state),
            Skip = tensors.Single(block.Skip, "skip", 1, channels),
            Out = tensors.Dense(block.Out, "out", model, channels, type),
            OutBias = tensors.Single(block.OutBias, "outBias", 1, model),
            Inputs = tensors.Dense(block.Inputs, "inputs", batch * (width - 1), channels, type),
            State = tensors.Single(block.State, "state", batch * channels, state),
        };
    }
}
