using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// One position of a few sequences through a stack of blocks, all in one call: between products of some microseconds each, calls of
/// their own and the tensors between them take a fifth of the time. Not differentiable.
/// </summary>
internal static class BlockSteps
{
    /// <summary>Advances blocks and stream, where the backend has a kernel for it and the rows are few enough for products of vectors.</summary>
    /// <param name="inputs">Operands.</param>
    /// <returns>False when nothing was done: the caller goes from op to op.</returns>
    /// <exception cref="ArgumentException">A state is of another shape.</exception>
    public static bool TryAdvance(BlockStepInputs inputs)
    {
        const string Op = nameof(BlockSteps);
        var hidden = inputs.Hidden;
        var batch = hidden.size(0);
        if (batch > LinearStep.MostRows || KernelBackends.Choose(Op, hidden) is not IStepKernels kernels)
            return false;
        foreach (var block in inputs.Blocks)
        {
            ShapeCheck.Equal(Op, "state of the convolution", block.Inputs, "(B, W-1, D)", "the model", batch, inputs.Width - 1, inputs.Channels);
            ShapeCheck.Equal(Op, "state of the scan", block.State, "(B, D, N)", "the model", batch, inputs.Channels, inputs.State);
            if (!block.Inputs.is_contiguous() || !block.State.is_contiguous())
                throw new ArgumentException($"{Op}: a state has gaps between its numbers; expected a contiguous tensor, since it is updated in place.", nameof(inputs));
        }

        using var noGradient = no_grad();
        kernels.BlockSteps(inputs);
        return true;
    }
}

/// <summary>A backend that takes a step through a whole stack of blocks.</summary>
internal interface IStepKernels
{
    /// <summary>Advances the states of all blocks, and hidden and residual, in place.</summary>
    void BlockSteps(BlockStepInputs inputs);
}
