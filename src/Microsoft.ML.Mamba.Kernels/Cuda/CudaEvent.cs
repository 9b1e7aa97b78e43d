namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A mark among what was started on a device's default stream: waiting for it waits for what came before it, and for nothing after.</summary>
public sealed unsafe class CudaEvent : IDisposable
{
    private const uint DisableTiming = 2; // marks that are only waited for are cheaper

    private readonly CudaDevice _device;
    private nint _event;

    /// <summary>Sets the mark.</summary>
    /// <param name="device">The GPU.</param>
    /// <exception cref="CudaException">The device cannot be used, or an earlier launch failed.</exception>
    public CudaEvent(CudaDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
        nint made = 0;
        nint previous = device.Enter();
        int result = device.Driver.EventCreate(&made, DisableTiming);
        if (result == CudaDriver.Success)
        {
            result = device.Driver.EventRecord(made, 0);
        }

        device.Leave(previous);
        _event = made;
        if (result != CudaDriver.Success)
        {
            Dispose();
            throw device.Driver.Failure($"marking a place in the work of CUDA device {device.Index}", result);
        }
    }

    /// <summary>Waits until everything before the mark has ended.</summary>
    /// <exception cref="CudaException">One of those launches failed.</exception>
    public void Wait()
    {
        ObjectDisposedException.ThrowIf(_event == 0, this);
        nint previous = _device.Enter();
        int result = _device.Driver.EventSynchronize(_event);
        _device.Leave(previous);
        _device.Driver.Check($"waiting for CUDA device {_device.Index}", result);
    }

    /// <summary>Forgets the mark; what it marks goes on.</summary>
    public void Dispose()
    {
        if (_event != 0)
        {
            // The context of an event need not be current for this.
            _device.Driver.EventDestroy(_event);
            _event = 0;
        }
    }
}
