using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>The list of backends as test data: a new backend is tested by the existing tests.</summary>
internal static class BackendCases
{
    /// <summary>Every backend that computes in float32 on the CPU.</summary>
    public static IEnumerable<string> OnCpu => KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, ScalarType.Float32, out _)).Select(b => b.Name);

    public static TheoryData<string> All() => new(OnCpu);

    /// <summary>Every name with every backend that computes on this type.</summary>
    public static TheoryData<string, string> Of(IEnumerable<string> names, ScalarType type = ScalarType.Float32)
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in names)
        {
            foreach (var backend in KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, type, out _)))
                cases.Add(name, backend.Name);
        }

        return cases;
    }

    /// <summary>Every backend with every kind of device that it computes on, also where there is none.</summary>
    public static IEnumerable<(string Backend, string Device)> Placed => [.. OnCpu.Select(backend => (backend, "cpu")), ("torch", "cuda"), ("cuda", "cuda")];

    /// <summary><see cref="Placed"/> as test data.</summary>
    public static TheoryData<string, string> AllPlaced()
    {
        var cases = new TheoryData<string, string>();
        foreach (var (backend, device) in Placed)
            cases.Add(backend, device);
        return cases;
    }

    /// <summary>Every name with <see cref="Placed"/>.</summary>
    public static TheoryData<string, string, string> PlacedOf(IEnumerable<string> names)
    {
        var cases = new TheoryData<string, string, string>();
        foreach (var name in names)
        {
            foreach (var (backend, device) in Placed)
                cases.Add(name, backend, device);
        }

        return cases;
    }

    /// <summary>A device by its kind; skips the running test with the reason where there is none.</summary>
    public static Device DeviceOrSkip(string kind)
    {
        if (kind == "cpu")
            return CPU;
        MambaEnvironment.LoadLibTorch();
        Skip.IfNot(cuda.is_available(), "libtorch finds no CUDA device.");
        Skip.IfNot(CudaDevice.IsAvailable(out var reason), reason);
        return CUDA;
    }
}
