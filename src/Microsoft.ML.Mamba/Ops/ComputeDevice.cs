using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Where a model computes. The default is the CPU. Knows how to choose without touching libtorch before it has to.</summary>
/// <param name="CudaIndex">Index of a CUDA device, from 0; null: the CPU.</param>
internal readonly record struct ComputeDevice(int? CudaIndex)
{
    /// <summary>What ML.NET means by GpuDeviceId and FallbackToCpu.</summary>
    /// <param name="gpuDeviceId">Index of a CUDA device; null: the CPU.</param>
    /// <param name="fallbackToCpu">Whether the CPU stands in for a device that is not there, after a warning.</param>
    /// <param name="warning">Told of a fall-back.</param>
    /// <exception cref="InvalidOperationException">The device is not there and the CPU may not stand in.</exception>
    public static ComputeDevice Choose(int? gpuDeviceId, bool fallbackToCpu, Action<string> warning)
    {
        if (gpuDeviceId is not { } index)
            return default;
        if (Problem(index) is not { } problem)
            return new ComputeDevice(index);
        if (!fallbackToCpu)
            throw new InvalidOperationException($"GpuDeviceId is {index}, but {problem} With FallbackToCpu = true the CPU would stand in.");
        warning($"GpuDeviceId is {index}, but {problem} The CPU computes instead, since FallbackToCpu is true.");
        return default;
    }

    /// <summary>As libtorch names it.</summary>
    public Device ToTorch() => CudaIndex is { } index ? device(DeviceType.CUDA, index) : CPU;

    /// <summary>For log lines.</summary>
    public override string ToString() => CudaIndex is { } index ? FormattableString.Invariant($"CUDA device {index}") : "the CPU";

    /// <summary>Whether an exception of libtorch or of our kernels says that memory ran out, on either device.</summary>
    public static bool IsOutOfMemory(Exception e) => e is CudaException { IsOutOfMemory: true }
        || (e is ExternalException
            && (e.Message.Contains("allocate memory", StringComparison.Ordinal) || e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("CUBLAS_STATUS_ALLOC_FAILED", StringComparison.Ordinal)));

    /// <summary>Why a device cannot be used, as the end of a sentence; null when it can.</summary>
    private static string? Problem(int index)
    {
        TorchLibrary.EnsureLoaded();
        if (!cuda.is_available())
        {
            return TorchLibrary.HasCuda
                ? "libtorch finds no CUDA device; expected an NVIDIA GPU and its driver (nvidia-smi shows both, and CUDA_VISIBLE_DEVICES may hide devices)."
                : "the application's libtorch computes on the CPU only; expected the package TorchSharp-cuda-linux or TorchSharp-cuda-windows instead of TorchSharp-cpu.";
        }

        var count = cuda.device_count();
        return index >= 0 && index < count ? null
            : $"there {(count == 1 ? "is 1 CUDA device" : $"are {count} CUDA devices")}; expected {(count == 1 ? "0" : $"0 to {count - 1}")}.";
    }
}
