using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>The first GPU, for tests that need one.</summary>
internal static class Gpu
{
    /// <summary>The GPU; the test is skipped with the reason where kernels cannot run.</summary>
    public static CudaDevice SkipIfMissing()
    {
        Skip.IfNot(CudaDevice.IsAvailable(out var reason), reason);
        return CudaDevice.Get(0);
    }
}
