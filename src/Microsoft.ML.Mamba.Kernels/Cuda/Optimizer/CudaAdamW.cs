using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One step of AdamW on float32 weights in a GPU's memory, see <see cref="AdamW"/>.</summary>
public static class CudaAdamW
{
    private const int Threads = 256;
    private const int Pack = 4;
    private const long MaxBlocks = 1 << 20;

    private static readonly CudaKernelFamily<int> Kernels = new(pack => new("adamw", "adamw", $"VECTOR={pack}"));

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } = [Variant(1), Variant(Pack)];

    /// <summary>Updates weight and moments in place.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="weight">Address of the weights.</param>
    /// <param name="gradient">Address of their gradients.</param>
    /// <param name="firstMoment">Address of m.</param>
    /// <param name="secondMoment">Address of v.</param>
    /// <param name="count">Number of weights.</param>
    /// <param name="step">Settings.</param>
    /// <exception cref="ArgumentException">A setting is without meaning.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Step(CudaDevice device, nint weight, nint gradient, nint firstMoment, nint secondMoment, long count, in AdamWStep step) =>
        Plan(weight, gradient, firstMoment, secondMoment, count, step).On(device);

    internal static CudaLaunch<CudaAdamWArguments> Plan(nint weight, nint gradient, nint firstMoment, nint secondMoment, long count, in AdamWStep step)
    {
        step.Require("AdamW.Step");
        var pack = (weight | gradient | firstMoment | secondMoment) % (Pack * sizeof(float)) == 0 ? Pack : 1;
        return new(
            Variant(pack),
            new CudaAdamWArguments
            {
                Weight = weight,
                Gradient = gradient,
                FirstMoment = firstMoment,
                SecondMoment = secondMoment,
                Count = count,
                GradientScale = (float)step.GradientScale,
                Gain1 = (float)(1 - step.Beta1),
                Beta2 = (float)step.Beta2,
                Gain2 = (float)(1 - step.Beta2),
                Shrink = (float)step.Shrink,
                StepSize = (float)step.StepSize,
                RootScale = (float)step.RootScale,
                Epsilon = (float)step.Epsilon,
            },
            Math.Min((count + Threads * pack - 1) / (Threads * pack), MaxBlocks),
            Threads);
    }

    private static CudaKernelVariant Variant(int pack) => Kernels[pack];
}

/// <summary>Parameters of adamw.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("adamw.cuh", "AdamWParams")]
internal struct CudaAdamWArguments
{
    public nint Weight;
    public nint Gradient;
    public nint FirstMoment;
    public nint SecondMoment;
    public long Count;
    public float GradientScale;
    public float Gain1;
    public float Beta2;
    public float Gain2;
    public float Shrink;
    public float StepSize;
    public float RootScale;
    public float Epsilon;
}
