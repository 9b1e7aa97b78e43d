namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Work in independent items, for <see cref="KernelThreads.For"/>.</summary>
internal interface IKernelWork
{
    /// <summary>Computes one item.</summary>
    /// <param name="item">Index of the item.</param>
    /// <param name="worker">Index of the thread that runs it, below <see cref="KernelThreads.Workers"/>: which scratch memory to use.</param>
    void Run(long item, int worker);
}
