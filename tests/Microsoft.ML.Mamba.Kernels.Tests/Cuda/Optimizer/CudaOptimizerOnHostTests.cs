using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Optimizer;

/// <summary>The CUDA kernels of the optimizer, run on the processor, against the plain loops.</summary>
public sealed class CudaOptimizerOnHostTests
{
    private const CudaNumber F = CudaNumber.Float32;

    private static readonly AdamWStep Settings = new() { Number = 3, LearningRate = 0.01, Beta1 = 0.9, Beta2 = 0.98, WeightDecay = 0.1, GradientScale = 0.5 };

    [SkippableTheory]
    [InlineData(1, 16)]
    [InlineData(1031, 16)]
    [InlineData(50, 3)]
    public void A_step_of_AdamW_agrees_with_the_plain_loop(int count, int offset)
    {
        HostCuda.SkipIfMissing();
        var random = new Random(count);
        double[] weight = RandomValues.Next(random, count), gradient = RandomValues.Next(random, count), first = RandomValues.Next(random, count),
            second = [.. RandomValues.Next(random, count).Select(Math.Abs)];
        using TypedRows w = new(F, 1, count, 0, weight, offset), g = new(F, 1, count, 0, gradient), m = new(F, 1, count, 0, first), v = new(F, 1, count, 0, second);
        HostCuda.Run(CudaAdamW.Plan(w.Rows.Address, g.Rows.Address, m.Rows.Address, v.Rows.Address, count, Settings));

        using GuardedRows<double> wantW = new(1, count, 0, weight), wantG = new(1, count, 0, gradient), wantM = new(1, count, 0, first), wantV = new(1, count, 0, second);
        Reference.AdamW.Step(wantW.Rows, wantG.Rows, wantM.Rows, wantV.Rows, Settings);
        Closeness.Assert("weight", wantW.Read("weight"), w.Read("weight"), 1e-6);
        Closeness.Assert("m", wantM.Read("m"), m.Read("m"), 1e-6);
        Closeness.Assert("v", wantV.Read("v"), v.Read("v"), 1e-6);
    }

    [SkippableTheory]
    [InlineData(0, 16)]
    [InlineData(1, 16)]
    [InlineData(5003, 16)]
    [InlineData(5003, 5)]
    public void The_sum_of_squares_agrees_with_the_plain_loop(int count, int offset)
    {
        HostCuda.SkipIfMissing();
        var values = RandomValues.Next(new Random(count), count);
        using var rows = new TypedRows(F, 1, count, 0, values, offset);
        using var scratch = new NativeArray<double>(8);
        using var result = new NativeArray<double>([double.NaN]);
        var (blocks, sum) = CudaSumOfSquares.Plan(2, rows.Rows.Address, count, scratch.Address, result.Address);
        HostCuda.Run(blocks);
        HostCuda.Run(sum);
        Closeness.Assert("sum", [values.Sum(value => value * value)], result.ToArray(), 1e-7);
    }
}
