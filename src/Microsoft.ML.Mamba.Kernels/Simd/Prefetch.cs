using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Asks for memory before it is needed. Rows lie pages apart, where the processor does not foresee them by itself.</summary>
internal static unsafe class Prefetch
{
    /// <summary>The cache line of an address, into all levels; the address need not exist. Nothing on processors without the instruction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(float* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
