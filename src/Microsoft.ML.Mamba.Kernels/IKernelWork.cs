namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Work in items, for <see cref="KernelThreads.For"/>: independent of each other, or in phases.</summary>
internal interface IKernelWork
{
    /// <summary>Whether items come in phases, each of which needs all items of the phases before it. A constant to the compiler.</summary>
    static virtual bool HasPhases => false;

    /// <summary>Computes one item.</summary>
    /// <param name="item">Index of the item.</param>
    /// <param name="worker">Index of the thread that runs it, below <see cref="KernelThreads.Workers"/>: which scratch memory to use.</param>
    void Run(long item, int worker);

    /// <summary>Items that must be done before this one begins: all those of earlier phases.</summary>
    /// <param name="item">Index of the item.</param>
    long Needs(long item) => 0;

    /// <summary>Asks for some memory of an item that still has to wait.</summary>
    /// <param name="item">Index of the item.</param>
    /// <param name="call">How often this was called for the item before.</param>
    void Prefetch(long item, long call)
    {
    }
}
