using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class KernelBackendsTests
{
    [Fact]
    public void Backends_are_asked_in_this_order() =>
        Assert.Equal(["cuda", "cpu", "torch", "reference"], KernelBackends.All.Select(backend => backend.Name));

    [Fact]
    public void The_first_backend_that_supports_the_type_computes()
    {
        Assert.Equal("cpu", KernelBackends.Choose("op", DeviceType.CPU, torch.float32).Name);
        Assert.Equal("torch", KernelBackends.Choose("op", DeviceType.CPU, torch.float64).Name);
        Assert.Equal("torch", KernelBackends.Choose("op", DeviceType.CPU, torch.bfloat16).Name);
        Assert.Equal("torch", KernelBackends.Choose("op", DeviceType.CUDA, torch.float64).Name);
    }

    [Fact]
    public void A_forced_backend_computes_until_the_force_is_disposed()
    {
        using (KernelBackends.Force("reference"))
        {
            Assert.Equal("reference", KernelBackends.Choose("op", DeviceType.CPU, torch.float32).Name);
            using (KernelBackends.Force(null))
                Assert.Equal("cpu", KernelBackends.Choose("op", DeviceType.CPU, torch.float32).Name);
            Assert.Equal("reference", KernelBackends.Choose("op", DeviceType.CPU, torch.float32).Name);
        }

        Assert.Equal("cpu", KernelBackends.Choose("op", DeviceType.CPU, torch.float32).Name);
    }

    [Fact]
    public void A_forced_backend_that_cannot_says_why()
    {
        using var force = KernelBackends.Force("cpu");
        var error = Assert.Throws<NotSupportedException>(() => KernelBackends.Choose("SelectiveScan", DeviceType.CPU, torch.float64));
        Assert.Equal("SelectiveScan: the forced backend 'cpu' does not compute on CPU Float64: it takes Float32 only", error.Message);
    }

    [Fact]
    public void An_unknown_backend_is_refused_with_the_list()
    {
        var error = Assert.Throws<ArgumentException>(() => KernelBackends.Force("gpu"));
        Assert.Equal("Force: there is no kernel backend 'gpu'; expected one of: cuda, cpu, torch, reference.", error.Message);
    }

    [Fact]
    public void A_type_that_nobody_computes_lists_every_reason()
    {
        var error = Assert.Throws<NotSupportedException>(() => KernelBackends.Choose("RmsNorm", DeviceType.CPU, torch.int64));
        Assert.Equal(
            "RmsNorm: no backend computes on CPU Int64 (cuda: it computes on NVIDIA GPUs only; cpu: it takes Float32 only; torch: it takes floating types only; reference: it takes Float32 and Float64 only).",
            error.Message);
    }

    [Fact]
    public void Without_a_GPU_the_kernels_for_it_say_what_is_missing()
    {
        var cuda = KernelBackends.All[0];
        Assert.False(cuda.Supports(DeviceType.CPU, torch.float32, out var reason));
        Assert.Equal("it computes on NVIDIA GPUs only", reason);
        Assert.False(cuda.Supports(DeviceType.CUDA, torch.float64, out reason));
        Assert.Equal("it takes Float32, BFloat16 and Float16 only", reason);
        var available = Microsoft.ML.Mamba.Kernels.Cuda.CudaDevice.IsAvailable(out var missing);
        Assert.Equal(available, cuda.Supports(DeviceType.CUDA, torch.bfloat16, out reason));
        Assert.Equal(missing, reason);
    }
}
