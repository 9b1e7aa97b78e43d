using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Numbers on their way between the processor's memory and a device's.</summary>
internal static class DeviceCopies
{
    /// <summary>
    /// A tensor of the processor's memory on a device. To a GPU it goes by way of pinned memory, so that nobody waits for what the
    /// GPU is still computing.
    /// </summary>
    /// <param name="values">A tensor in the processor's memory; taken over.</param>
    /// <param name="target">The device.</param>
    public static Tensor MovedTo(this Tensor values, Device target)
    {
        if (target.type == DeviceType.CPU)
            return values;
        using (values)
        {
            using var pinned = values.pin_memory();
            return pinned.to(target, copy: false, disposeAfter: false, non_blocking: true);
        }
    }

    /// <summary>A tensor's numbers as an array, row after row; waits for the device that computes them.</summary>
    public static float[] ToArray(this Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }
}
