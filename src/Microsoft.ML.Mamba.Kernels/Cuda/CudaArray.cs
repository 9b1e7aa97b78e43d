namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// Memory of a GPU for kernels that are used without tensors: tests, and programs of their own. Keep it undisposed until the
/// kernels that use it have ended.
/// </summary>
/// <typeparam name="T">Element type.</typeparam>
public sealed unsafe class CudaArray<T> : IDisposable
    where T : unmanaged
{
    private readonly CudaDevice _device;
    private nint _address;

    /// <summary>Allocates elements of any value.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="length">Number of elements, ≥ 0.</param>
    /// <exception cref="CudaException">The memory does not suffice, or the device cannot be used.</exception>
    public CudaArray(CudaDevice device, long length)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _device = device;
        Length = length;
        var bytes = Math.Max(1, checked((nuint)length * (nuint)sizeof(T)));
        nint address = 0;
        nint previous = device.Enter();
        int result = device.Driver.MemAlloc(&address, bytes);
        device.Leave(previous);
        device.Driver.Check($"allocation of {bytes} bytes on CUDA device {device.Index}", result);
        _address = address;
    }

    /// <summary>Allocates a copy of <paramref name="values"/>.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="values">Elements to copy.</param>
    /// <exception cref="CudaException">The memory does not suffice, or the device cannot be used.</exception>
    public CudaArray(CudaDevice device, ReadOnlySpan<T> values)
        : this(device, values.Length) => CopyFrom(values);

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Address of the first element, in the device's memory.</summary>
    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == 0, this);
            return _address;
        }
    }

    /// <summary>Copies <paramref name="values"/> to a place, after everything that was started before on the default stream.</summary>
    /// <param name="values">At most as many elements as follow there.</param>
    /// <param name="start">The first element that is replaced.</param>
    /// <exception cref="CudaException">The device cannot be used, or an earlier launch failed.</exception>
    public void CopyFrom(ReadOnlySpan<T> values, long start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, Length - start, nameof(values));
        if (values.IsEmpty)
        {
            return;
        }

        nint previous = _device.Enter();
        int result;
        fixed (T* source = values)
        {
            result = _device.Driver.MemcpyHostToDevice(Address + (nint)start * sizeof(T), source, (nuint)values.Length * (nuint)sizeof(T));
        }

        _device.Leave(previous);
        _device.Driver.Check("copy to the device", result);
    }

    /// <summary>A copy in managed memory, after everything that was started before on the default stream has ended.</summary>
    /// <returns>All elements; at most 2^31 - 1 of them.</returns>
    /// <exception cref="CudaException">The device cannot be used, or an earlier launch failed.</exception>
    public T[] ToArray()
    {
        var copy = new T[checked((int)Length)];
        if (copy.Length == 0)
        {
            return copy;
        }

        nint previous = _device.Enter();
        int result;
        fixed (T* target = copy)
        {
            result = _device.Driver.MemcpyDeviceToHost(target, Address, (nuint)Length * (nuint)sizeof(T));
        }

        _device.Leave(previous);
        _device.Driver.Check("copy from the device", result);
        return copy;
    }

    /// <summary>Frees the memory; CUDA waits for running kernels first.</summary>
    public void Dispose()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
        {
            nint previous = _device.Enter();
            _device.Driver.MemFree(address);
            _device.Leave(previous);
        }
    }
}
