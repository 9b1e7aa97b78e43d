using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public class CudaDriverTests
{
    [Fact]
    public void A_missing_driver_is_named()
    {
        Assert.Null(CudaDriver.TryLoad("libcuda-absent.so.1", out var refusal));
        Assert.Equal("NVIDIA's driver is not installed: the system's loader does not find libcuda-absent.so.1.", refusal);
    }

    [Fact]
    public void A_library_that_is_no_driver_is_refused()
    {
        var other = OperatingSystem.IsWindows() ? "kernel32.dll" : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6";

        Assert.Null(CudaDriver.TryLoad(other, out var refusal));
        Assert.Contains($"NVIDIA's driver ({other}) is too old", refusal);
    }

    [SkippableFact]
    public void Without_a_GPU_nothing_is_available_and_the_reason_says_what_was_looked_for()
    {
        Skip.If(CudaDriver.TryLoad(out _, out _), "This machine has NVIDIA's driver.");

        Assert.False(CudaDevice.IsAvailable(out var reason));
        Assert.Contains(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", reason);
        Assert.Equal(0, CudaDevice.Count());
        var error = Assert.Throws<CudaException>(() => CudaDevice.Get(0));
        Assert.Equal($"opening CUDA device 0: {reason}", error.Message);
    }
}
