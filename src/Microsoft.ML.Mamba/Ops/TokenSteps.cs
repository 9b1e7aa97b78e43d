using Microsoft.ML.Mamba.Kernels.Cuda;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Sequences that go on through a causal language model on a GPU, token by token. Prepared once for a model and a state: from op to
/// op, the processor would take longer to look tensors up, make new ones and launch some hundred kernels a token than the GPU to run
/// them. Not differentiable; for one thread at a time.
/// </summary>
internal abstract class TokenSteps : IDisposable
{
    /// <summary>Prepares steps: of a few sequences in one launch a token, of more by matrix products between kernels.</summary>
    /// <param name="inputs">Operands, which must live as long.</param>
    /// <returns>Null where there are no kernels for this model: the caller goes from op to op.</returns>
    public static TokenSteps? TryPrepare(TokenStepInputs inputs) =>
        inputs.Batch <= CudaTokenSteps.MostRows && KernelBackends.Choose(nameof(TokenSteps), inputs.Blocks[0].In) is ITokenStepKernels kernels
            && kernels.PrepareTokenSteps(inputs) is { } steps
            ? steps
            : ProductSteps.TryPrepare(inputs);

    /// <summary>Advances the states by one token.</summary>
    /// <param name="ids">The next id of each sequence.</param>
    /// <param name="position">(M), added to the vectors of the ids; or null.</param>
    /// <returns>(B, V) float32, new: scores of what follows.</returns>
    public abstract Tensor Advance(ReadOnlySpan<int> ids, Tensor? position);

    /// <summary>Frees what steps share; the model and its state stay.</summary>
    public abstract void Dispose();
}

/// <summary>A backend that takes a token through a whole model.</summary>
internal interface ITokenStepKernels
{
    /// <summary>Prepares steps; null where the kernel cannot run this model.</summary>
    TokenSteps? PrepareTokenSteps(TokenStepInputs inputs);
}
