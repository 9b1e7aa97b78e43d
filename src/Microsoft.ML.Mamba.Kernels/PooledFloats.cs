using System.Buffers;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Scratch memory of one call: floats of any value, aligned to 64 bytes, from the shared array pool, so that large scratch does
/// not cost fresh pages each time.
/// </summary>
internal readonly unsafe struct PooledFloats : IDisposable
{
    private const int Alignment = 64;

    private readonly float[] _array;
    private readonly GCHandle _pin;

    /// <summary>Takes <paramref name="length"/> floats until disposal.</summary>
    public PooledFloats(long length)
    {
        _array = ArrayPool<float>.Shared.Rent(checked((int)length + Alignment / sizeof(float)));
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        Pointer = (float*)((_pin.AddrOfPinnedObject() + Alignment - 1) & ~(nint)(Alignment - 1));
    }

    /// <summary>Address of the first float.</summary>
    public float* Pointer { get; }

    /// <summary><paramref name="width"/> rounded up so that rows of that many floats keep the alignment.</summary>
    public static long Padded(long width) => (width + 15) & ~15L;

    public void Dispose()
    {
        _pin.Free();
        ArrayPool<float>.Shared.Return(_array);
    }
}
