using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Norm;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Norm;

/// <summary>The CUDA norm, run on the processor, against the plain loops.</summary>
public sealed class CudaNormOnHostTests
{
    [SkippableTheory]
    [InlineData(CudaNumber.Float32, CudaNumber.Float32)]
    [InlineData(CudaNumber.BFloat16, CudaNumber.Float32)]
    [InlineData(CudaNumber.BFloat16, CudaNumber.BFloat16)]
    [InlineData(CudaNumber.Float16, CudaNumber.Float32)]
    public void Outputs_and_gradients_agree_with_the_plain_loops(CudaNumber type, CudaNumber sumType)
    {
        HostCuda.SkipIfMissing();
        foreach (var (rows, width, gap, multiprocessors) in new[] { (1, 1, 0, 1), (9, 37, 3, 1), (7, 96, 4, 1), (3, 516, 0, 132), (23, 768, 0, 1), (2, 8205, 0, 1), (300, 12, 0, 1) })
        {
            // Of one column alone y is the sign of x: its gradient is what rounding leaves.
            foreach (var residual in width == 1 ? [true] : new[] { true, false })
            {
                var problem = Rounded(type, sumType, NormProblem.Random(new Random(rows * width), rows, width, residual, dResidualOut: residual));
                var what = $"{type} with sums in {sumType}, {rows} rows of {width}, with a residual {residual}";
                Run(type, residual ? sumType : type, problem, gap, multiprocessors).AssertClose(what, problem.Reference(), Tolerance(type));
            }
        }
    }

    private static double Tolerance(CudaNumber type) => type switch { CudaNumber.Float32 => 3e-6, CudaNumber.Float16 => 1e-3, _ => 1e-2 };

    private static NormProblem Rounded(CudaNumber type, CudaNumber sumType, NormProblem problem) => problem with
    {
        X = TypedRows.Round(type, problem.X),
        Residual = problem.Residual is null ? null : TypedRows.Round(sumType, problem.Residual),
        DY = TypedRows.Round(type, problem.DY),
        DResidualOut = problem.DResidualOut is null ? null : TypedRows.Round(sumType, problem.DResidualOut),
    };

    private static NormResult Run(CudaNumber type, CudaNumber sumType, NormProblem problem, int gap, int multiprocessors)
    {
        var (rows, width, values) = (problem.Rows, problem.Width, problem.X);
        using var x = new TypedRows(type, rows, width, gap, values);
        using var residual = problem.Residual is null ? null : new TypedRows(sumType, rows, width, gap, problem.Residual);
        using var weight = new TypedRows(CudaNumber.Float32, 1, width, 0, problem.Weight);
        using var y = new TypedRows(type, rows, width);
        using var sum = new TypedRows(sumType, rows, width);
        HostCuda.Run(CudaNormPlan.Forward(multiprocessors, x.Rows, residual?.Rows ?? default, weight.Rows, problem.Epsilon, y.Rows, sum.Rows));

        using var dy = new TypedRows(type, rows, width, gap, problem.DY);
        using var dSum = problem.DResidualOut is null ? null : new TypedRows(sumType, rows, width, gap, problem.DResidualOut);
        using var dx = new TypedRows(type, rows, width);
        using var dResidual = new TypedRows(sumType, rows, width);
        using var dWeight = new TypedRows(CudaNumber.Float32, 1, width);
        using var scratch = new TypedRows(CudaNumber.Float32, CudaNormPlan.Blocks(multiprocessors, rows, width).Count, width);
        var (gradients, sums) = CudaNormPlan.Backward(
            multiprocessors, sum.Rows, weight.Rows, problem.Epsilon, dy.Rows, dSum?.Rows ?? default, dx.Rows, dResidual.Rows, dWeight.Rows, scratch.Rows.Address);
        HostCuda.Run(gradients);
        HostCuda.Run(sums);
        scratch.Read("scratch");
        var exact = dResidual.Read("dResidual");
        Closeness.Assert("dx against dResidual", exact, dx.Read("dx"), Tolerance(type));
        return new NormResult(y.Read("y"), sum.Read("sum"), exact, dWeight.Read("dWeight"));
    }
}
