using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Conv1d;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Conv1d;

/// <summary>The CUDA convolution, run on the processor, against the plain loops.</summary>
public sealed class CudaConvOnHostTests
{
    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 4, 8, 0, 16)]
    [InlineData(CudaNumber.Float32, 4, 7, 2, 3)]
    [InlineData(CudaNumber.Float32, 2, 12, 4, 16)]
    [InlineData(CudaNumber.Float32, 8, 6, 0, 16)]
    [InlineData(CudaNumber.BFloat16, 4, 16, 8, 16)]
    [InlineData(CudaNumber.BFloat16, 3, 5, 0, 1)]
    [InlineData(CudaNumber.Float16, 4, 24, 0, 16)]
    public void Outputs_and_gradients_agree_with_the_plain_loops(CudaNumber type, int width, int channels, int gap, int offset)
    {
        HostCuda.SkipIfMissing();
        var random = new Random(width * 100 + channels);
        foreach (var length in new[] { 0, 1, 2, 5, 16, 47 })
        {
            foreach (var all in new[] { true, false })
            {
                var problem = Rounded(type, ConvProblem.Random(random, new ConvDims(2, length, channels, width), silu: all, all, all, all));
                var got = Run(type, problem, gap, offset);
                got.AssertClose($"{type}, W {width}, D {channels}, L {length}, with everything {all}", problem.Reference(), Tolerance(type));
            }
        }
    }

    [SkippableFact]
    public void Single_steps_agree_with_the_plain_loops()
    {
        HostCuda.SkipIfMissing();
        foreach (var type in new[] { CudaNumber.Float32, CudaNumber.BFloat16 })
        {
            var dims = new ConvDims(3, 1, 5, 4);
            var problem = Rounded(type, ConvProblem.Random(new Random(1), dims));
            using var state = new TypedRows(type, 9, 5, 0, problem.InitialState);
            using var x = new TypedRows(type, 3, 5, 2, problem.X);
            using var weight = new TypedRows(CudaNumber.Float32, 5, 4, 0, problem.Weight);
            using var bias = new TypedRows(CudaNumber.Float32, 1, 5, 0, problem.Bias);
            using var y = new TypedRows(type, 3, 5);
            HostCuda.Run(CudaConvPlan.Step(dims, state.Rows, x.Rows, weight.Rows, bias.Rows, true, y.Rows));
            var want = problem.Reference();
            Closeness.Assert($"{type}: y", want.Y, y.Read("y"), Tolerance(type));
            Closeness.Assert($"{type}: state", want.FinalState, state.Read("state"), 0);
        }
    }

    private static double Tolerance(CudaNumber type) => type switch { CudaNumber.Float32 => 2e-6, CudaNumber.Float16 => 1e-3, _ => 1e-2 };

    private static ConvProblem Rounded(CudaNumber type, ConvProblem problem) => problem with
    {
        X = TypedRows.Round(type, problem.X),
        InitialState = problem.InitialState is null ? null : TypedRows.Round(type, problem.InitialState),
        DY = TypedRows.Round(type, problem.DY),
        DFinalState = problem.DFinalState is null ? null : TypedRows.Round(type, problem.DFinalState),
    };

    private static ConvResult Run(CudaNumber type, ConvProblem problem, int gap, int offset)
    {
        const int Multiprocessors = 1;
        const CudaNumber F = CudaNumber.Float32;
        var (dims, steps, states, channels) = (problem.Dims, problem.Dims.Steps, problem.Dims.Batch * problem.Dims.History, problem.Dims.Channels);
        TypedRows? Optional(CudaNumber of, long count, long width, double[]? values) => values is null ? null : new TypedRows(of, count, width, of == F ? 0 : gap, values);
        using var x = new TypedRows(type, steps, channels, gap, problem.X, offset);
        using var weight = new TypedRows(F, channels, dims.Width, 0, problem.Weight);
        using var bias = Optional(F, 1, channels, problem.Bias);
        using var initial = Optional(type, states, channels, problem.InitialState);
        using var y = new TypedRows(type, steps, channels);
        using var last = new TypedRows(type, states, channels);
        HostCuda.Run(CudaConvPlan.Forward(Multiprocessors, dims, x.Rows, weight.Rows, bias?.Rows ?? default, initial?.Rows ?? default, problem.Silu, y.Rows, last.Rows));

        using var dy = new TypedRows(type, steps, channels, gap, problem.DY, offset);
        using var dLast = Optional(type, states, channels, problem.DFinalState);
        using var dx = new TypedRows(type, steps, channels, gap, null, offset);
        using var dWeight = new TypedRows(F, channels, dims.Width);
        using var dBias = new TypedRows(F, 1, channels);
        using var dInitial = new TypedRows(type, states, channels);
        using var scratch = new TypedRows(F, CudaConvPlan.PartialRows(Multiprocessors, dims), (dims.Width + 1) * channels);
        var (gradients, sums) = CudaConvPlan.Backward(
            Multiprocessors, dims, x.Rows, weight.Rows, bias?.Rows ?? default, initial?.Rows ?? default, problem.Silu, dy.Rows, dLast?.Rows ?? default,
            dx.Rows, dWeight.Rows, dBias.Rows, dInitial.Rows, scratch.Rows.Address);
        HostCuda.Run(gradients);
        HostCuda.Run(sums);
        scratch.Read("scratch");
        return new ConvResult(y.Read("y"), last.Read("last"), dx.Read("dx"), dWeight.Read("dWeight"), dBias.Read("dBias"), dInitial.Read("dInitial"));
    }
}
