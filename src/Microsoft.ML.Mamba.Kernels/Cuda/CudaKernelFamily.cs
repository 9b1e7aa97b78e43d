using System.Collections.Concurrent;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Kernels that differ in their macros. Each member is made once, so that a launch builds none of the strings that name it.</summary>
/// <typeparam name="TKey">What tells the members apart.</typeparam>
/// <param name="make">Makes a member.</param>
internal sealed class CudaKernelFamily<TKey>(Func<TKey, CudaKernelVariant> make)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, CudaKernelVariant> _members = new();

    public CudaKernelVariant this[TKey key] => _members.GetOrAdd(key, make);
}
