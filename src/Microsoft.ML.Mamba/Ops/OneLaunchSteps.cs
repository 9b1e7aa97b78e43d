using Microsoft.ML.Mamba.Kernels.Cuda;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Steps of a few sequences, each one launch: bound by reading the weights, and by the phases that wait for each other.</summary>
/// <param name="inputs">Operands.</param>
/// <param name="steps">The kernel, which is owned from now on.</param>
internal sealed class OneLaunchSteps(TokenStepInputs inputs, CudaTokenSteps steps) : TokenSteps
{
    public override Tensor Advance(ReadOnlySpan<int> ids, Tensor? position)
    {
        using var scope = NewDisposeScope();
        var tensors = new CudaTensors(inputs.Embedding);
        var (batch, vocabulary) = (inputs.Batch, inputs.Embedding.size(0));
        var scores = tensors.New(ScalarType.Float32, batch, vocabulary);
        steps.Advance(ids, tensors.Single(position, "position", 1, inputs.Model), tensors.Single(scores, "scores", batch, vocabulary));
        GC.KeepAlive((inputs, position));
        return scores.MoveToOuterDisposeScope();
    }

    public override void Dispose() => steps.Dispose();
}
