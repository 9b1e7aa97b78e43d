namespace Microsoft.ML.Mamba;

/// <summary>What the blocks of a model compute in.</summary>
public enum MambaPrecision
{
    /// <summary>32 bits everywhere.</summary>
    Float32,

    /// <summary>
    /// On a GPU, activations and matrix products of the blocks in bfloat16 (the range of 32 bits with 8 bits of precision): faster, and
    /// half the memory for activations. The decay rates, step size biases, norms, the scan's state, the residual stream, the head and
    /// the loss stay in 32 bits, and so do the weights that the optimizer updates and that are saved. The CPU computes in 32 bits.
    /// </summary>
    BFloat16,
}
