using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Gpu;

/// <summary>Tests that need a GPU run where libtorch finds one; elsewhere they are skipped with that reason.</summary>
internal static class CudaMachine
{
    public const string Absent = "libtorch finds no CUDA device here (eng/gpu runs these tests on a machine that has one)";

    public static bool IsHere { get; } = Look();

    public static void SkipIfAbsent() => Skip.IfNot(IsHere, Absent);

    private static bool Look()
    {
        MambaEnvironment.LoadLibTorch();
        return torch.cuda.is_available();
    }
}
