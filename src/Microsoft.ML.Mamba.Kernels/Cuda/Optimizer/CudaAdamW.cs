using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One step of AdamW on float32 weights in a GPU's memory, see <see cref="AdamW"/>: one launch, however many weights there are.</summary>
public static class CudaAdamW
{
    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } = [new("adamw", "adamw", CudaTensorTable.Define)];

    /// <summary>The table of the weights of a step.</summary>
    /// <param name="weights">The weights, each with its own settings.</param>
    /// <exception cref="ArgumentException">A setting is without meaning.</exception>
    public static CudaTensorTable Table(IReadOnlyList<CudaAdamWWeight> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return CudaTensorTable.Of(weights.Count, i => weights[i].Count, (i, firstBlock) => Row(weights[i], firstBlock));
    }

    /// <summary>Updates weights and moments in place.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="table">What <see cref="Table"/> gave.</param>
    /// <param name="address">Address of the table's words on the device.</param>
    /// <param name="guard">When there must be no step, and how gradients are clipped; default for a step in any case.</param>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Step(CudaDevice device, CudaTensorTable table, nint address, CudaAdamWGuard guard = default) => Plan(table, address, guard).On(device);

    internal static CudaLaunch<CudaAdamWArguments> Plan(CudaTensorTable table, nint address, CudaAdamWGuard guard) => new(
        Variants[0],
        new CudaAdamWArguments
        {
            Rows = address,
            Loss = guard.Loss,
            SumOfSquares = guard.SumOfSquares,
            MaxNorm = guard.MaxNorm,
            Epsilon = guard.Epsilon,
            Count = table.Count,
        },
        table.Blocks,
        CudaTensorTable.Threads);

    private static CudaAdamWRow Row(in CudaAdamWWeight weight, long firstBlock)
    {
        var step = weight.Step;
        step.Require("AdamW.Step");
        return new CudaAdamWRow
        {
            Weight = weight.Weight,
            Gradient = weight.Gradient,
            FirstMoment = weight.FirstMoment,
            SecondMoment = weight.SecondMoment,
            Count = weight.Count,
            FirstBlock = firstBlock,
            GradientScale = (float)step.GradientScale,
            Gain1 = (float)(1 - step.Beta1),
            Beta2 = (float)step.Beta2,
            Gain2 = (float)(1 - step.Beta2),
            Shrink = (float)step.Shrink,
            StepSize = (float)step.StepSize,
            RootScale = (float)step.RootScale,
            Epsilon = (float)step.Epsilon,
        };
    }
}

/// <summary>A weight of a step of AdamW in a GPU's memory.</summary>
/// <param name="Weight">Address of the weights.</param>
/// <param name="Gradient">Address of their gradients.</param>
/// <param name="FirstMoment">Address of m.</param>
/// <param name="SecondMoment">Address of v.</param>
/// <param name="Count">Number of weights.</param>
/// <param name="Step">Settings.</param>
public readonly record struct CudaAdamWWeight(nint Weight, nint Gradient, nint FirstMoment, nint SecondMoment, long Count, AdamWStep Step);

/// <summary>Numbers in a GPU's memory on which a step of AdamW depends: without finite ones there is none.</summary>
/// <param name="Loss">Address of the loss, float32; 0 for a step in any case.</param>
/// <param name="SumOfSquares">Address of the sum of the squares of all gradients, float64.</param>
/// <param name="MaxNorm">Gradients are scaled by min(1, MaxNorm / (√SumOfSquares + Epsilon)); 0 for no clipping.</param>
/// <param name="Epsilon">Added to the norm.</param>
public readonly record struct CudaAdamWGuard(nint Loss, nint SumOfSquares, double MaxNorm, double Epsilon);

/// <summary>A row of adamw's table.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("adamw.cuh", "AdamWRow")]
internal struct CudaAdamWRow
{
    public nint Weight;
    public nint Gradient;
    public nint FirstMoment;
    public nint SecondMoment;
    public long Count;
    public long FirstBlock;
    public float GradientScale;
    public float Gain1;
    public float Beta2;
    public float Gain2;
    public float Shrink;
    public float StepSize;
    public float RootScale;
    public float Epsilon;
}

/// <summary>Parameters of adamw.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("adamw.cuh", "AdamWParams")]
internal struct CudaAdamWArguments
{
    public nint Rows;
    public nint Loss;
    public nint SumOfSquares;
    public double MaxNorm;
    public double Epsilon;
    public int Count;
}
