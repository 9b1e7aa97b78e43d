using System.Numerics;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Norm;

/// <summary>Inputs of RMSNorm and gradients of its outputs, row by row. A null is an absent argument.</summary>
internal sealed record NormProblem(
    int Rows, int Width, double Epsilon, double[] X, double[]? Residual, double[] Weight, double[] DY, double[]? DResidualOut)
{
    private delegate void ForwardBody<T>(Rows<T> x, Rows<T> residual, Rows<T> weight, double epsilon, Rows<T> y, Rows<T> residualOut)
        where T : unmanaged;

    private delegate void BackwardBody<T>(Rows<T> sum, Rows<T> weight, double epsilon, Rows<T> dy, Rows<T> dResidualOut, Rows<T> dx, Rows<T> dWeight)
        where T : unmanaged;

    public static NormProblem Random(Random random, int rows, int width, bool residual = true, bool dResidualOut = true, double epsilon = 1e-5) => new(
        rows,
        width,
        epsilon,
        RandomValues.Next(random, (long)rows * width),
        residual ? RandomValues.Next(random, (long)rows * width) : null,
        RandomValues.Next(random, width),
        RandomValues.Next(random, (long)rows * width),
        dResidualOut ? RandomValues.Next(random, (long)rows * width) : null);

    /// <summary>The plain loops in double.</summary>
    public NormResult Reference() => Run<double>(0, true, Kernels.Reference.RmsNorm.Forward, Kernels.Reference.RmsNorm.Backward);

    /// <summary>The fast body.</summary>
    /// <param name="threads">Threads.</param>
    /// <param name="gap">Elements between the rows of every argument.</param>
    /// <param name="keepSum">False to leave the sum of the forward pass absent; the backward pass then gets x + residual from here.</param>
    public NormResult Fast(int threads = 0, int gap = 0, bool keepSum = true) => Run<float>(
        gap,
        keepSum,
        (x, residual, weight, epsilon, y, residualOut) => RmsNorm.Forward(x, residual, weight, epsilon, y, residualOut, threads),
        (sum, weight, epsilon, dy, dResidualOut, dx, dWeight) => RmsNorm.Backward(sum, weight, epsilon, dy, dResidualOut, dx, dWeight, threads));

    /// <summary>sum(y·dy) + sum(residualOut·dResidualOut): what the gradients are of.</summary>
    public double Loss()
    {
        var result = Reference();
        return result.Y.Zip(DY, (a, b) => a * b).Sum() + result.ResidualOut.Zip(DResidualOut ?? new double[X.Length], (a, b) => a * b).Sum();
    }

    private NormResult Run<T>(int gap, bool keepSum, ForwardBody<T> forward, BackwardBody<T> backward)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var x = new GuardedRows<T>(Rows, Width, gap, X);
        using var residual = Residual is null ? null : new GuardedRows<T>(Rows, Width, gap, Residual);
        using var weight = new GuardedRows<T>(1, Width, gap, Weight);
        using var y = new GuardedRows<T>(Rows, Width, gap);
        using var residualOut = new GuardedRows<T>(Rows, Width, gap, keepSum ? null : [.. X.Select((v, i) => v + (Residual?[i] ?? 0))]);
        forward(x.Rows, residual?.Rows ?? default, weight.Rows, Epsilon, y.Rows, keepSum ? residualOut.Rows : default);

        using var dy = new GuardedRows<T>(Rows, Width, gap, DY);
        using var dResidualOut = DResidualOut is null ? null : new GuardedRows<T>(Rows, Width, gap, DResidualOut);
        using var dx = new GuardedRows<T>(Rows, Width, gap);
        using var dWeight = new GuardedRows<T>(1, Width, gap);
        backward(residualOut.Rows, weight.Rows, Epsilon, dy.Rows, dResidualOut?.Rows ?? default, dx.Rows, dWeight.Rows);
        return new NormResult(y.Read("y"), residualOut.Read("residualOut"), dx.Read("dx"), dWeight.Read("dWeight"));
    }
}
