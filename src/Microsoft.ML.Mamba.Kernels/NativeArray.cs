using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Zeroed memory outside the managed heap, aligned to a cache line, from 4 KB on to a page, for callers that have no tensors: tests, and programs that use
/// the kernels on their own. Keep it referenced and undisposed while a kernel runs on it: its rows do not.
/// </summary>
/// <typeparam name="T">Element type.</typeparam>
public sealed unsafe class NativeArray<T> : IDisposable
    where T : unmanaged
{
    private const nuint CacheLine = 64;
    private const nuint Page = 4096;

    private T* _address;

    /// <summary>Allocates <paramref name="length"/> zeros.</summary>
    /// <param name="length">Number of elements, ≥ 0.</param>
    public NativeArray(long length)
        : this(length, zeroed: true)
    {
    }

    /// <summary>Allocates a copy of <paramref name="values"/>.</summary>
    /// <param name="values">Elements to copy.</param>
    public NativeArray(ReadOnlySpan<T> values)
        : this(values.Length) => CopyFrom(values);

    /// <summary>Allocates memory that, unless <paramref name="zeroed"/>, holds anything.</summary>
    internal NativeArray(long length, bool zeroed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = checked((nuint)length * (nuint)sizeof(T));
        _address = (T*)NativeMemory.AlignedAlloc(Math.Max(bytes, CacheLine), bytes < Page ? CacheLine : Page);
        if (zeroed)
        {
            NativeMemory.Clear(_address, bytes);
        }
    }

    /// <summary>Frees the memory of an array that was not disposed.</summary>
    ~NativeArray() => Free();

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    internal T* Pointer => (T*)Address;

    /// <summary>Address of the first element.</summary>
    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == null, this);
            return (nint)_address;
        }
    }

    /// <summary>Element <paramref name="index"/>.</summary>
    /// <param name="index">0 ≤ index &lt; <see cref="Length"/>.</param>
    public ref T this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)index, (ulong)Length, nameof(index));
            return ref ((T*)Address)[index];
        }
    }

    /// <summary>Copies <paramref name="values"/> to the start.</summary>
    /// <param name="values">At most <see cref="Length"/> elements.</param>
    public void CopyFrom(ReadOnlySpan<T> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, Length, nameof(values));
        values.CopyTo(new Span<T>((T*)Address, values.Length));
    }

    /// <summary>A managed copy.</summary>
    /// <returns>All elements.</returns>
    public T[] ToArray() => AsSpan().ToArray();

    /// <summary>The elements as a span.</summary>
    /// <returns>All elements; at most 2^31 - 1 of them.</returns>
    public Span<T> AsSpan() => new((T*)Address, checked((int)Length));

    /// <summary>The memory as rows without gaps.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <returns>Rows over this memory; they do not keep it alive.</returns>
    public Rows<T> AsRows(long count, long width) => AsRows(count, width, width);

    /// <summary>The memory as rows that lie <paramref name="stride"/> elements apart.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <param name="stride">Elements from one row's start to the next.</param>
    /// <param name="offset">Elements before the first row.</param>
    /// <returns>Rows over this memory; they do not keep it alive.</returns>
    public Rows<T> AsRows(long count, long width, long stride, long offset = 0)
    {
        var needed = count == 0 ? offset : offset + (count - 1) * stride + width;
        if (count < 0 || width < 0 || stride < 0 || offset < 0 || needed > Length)
        {
            throw new ArgumentException(
                $"NativeArray: {count} rows of {width} elements, {stride} apart, from element {offset} need {needed} elements; got {Length}.", nameof(count));
        }

        return new Rows<T>(Address + (nint)(offset * sizeof(T)), count, width, stride);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_address);
        _address = null;
    }
}
