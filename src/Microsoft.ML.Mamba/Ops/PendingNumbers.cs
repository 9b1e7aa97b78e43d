using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Numbers that a device may still be computing, on their way to the processor's memory. To read them waits for them, and not for
/// what the device was given to do afterwards.
/// </summary>
internal sealed class PendingNumbers : IDisposable
{
    private readonly Tensor _values;
    private readonly CudaEvent? _arrived;

    /// <param name="values">Float64; the caller's to dispose.</param>
    public PendingNumbers(Tensor values)
    {
        if (values.device_type != DeviceType.CUDA)
        {
            _values = values.clone().DetachFromDisposeScope();
            return;
        }

        using var ordinary = empty_like(values, device: CPU);
        _values = ordinary.pin_memory().DetachFromDisposeScope();
        _values.copy_(values, nonBlocking: true);
        _arrived = new CudaEvent(CudaDevice.Get(values.device_index));
    }

    /// <summary>The numbers; waits for them.</summary>
    public double[] Read()
    {
        _arrived?.Wait();
        return _values.data<double>().ToArray();
    }

    public void Dispose()
    {
        _arrived?.Dispose();
        _values.Dispose();
    }
}
