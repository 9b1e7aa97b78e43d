using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Step;

/// <summary>The CUDA step of the scan, run on the processor, against the plain loops.</summary>
public sealed class CudaStateUpdateOnHostTests
{
    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 2e-6)]
    [InlineData(CudaNumber.BFloat16, 1e-2)]
    [InlineData(CudaNumber.Float16, 1e-3)]
    public void State_and_output_agree_with_the_plain_loops(CudaNumber type, double tolerance)
    {
        HostCuda.SkipIfMissing();
        foreach (var (channels, states, groups) in new[] { (6, 16, 1), (5, 1, 1), (6, 17, 3), (4, 256, 2), (130, 8, 1), (3, 100, 3) })
        {
            foreach (var all in new[] { true, false })
            {
                AssertAgrees(type, tolerance, new ScanDims(3, 1, channels, states, groups), all);
            }
        }
    }

    private static void AssertAgrees(CudaNumber type, double tolerance, ScanDims dims, bool all)
    {
        var (random, gap, f) = (new Random(dims.State), all ? 3 : 0, CudaNumber.Float32);
        var (batch, channels, columns) = (dims.Batch, dims.Channels, (long)dims.Groups * dims.State);
        double[] Typed(long count) => TypedRows.Round(type, RandomValues.Next(random, count));
        var state = RandomValues.Next(random, batch * channels * dims.State);
        var (u, delta, z) = (Typed(batch * channels), Typed(batch * channels), Typed(batch * channels));
        var (b, c) = (Typed(batch * columns), Typed(batch * columns));
        var a = RandomValues.Next(random, channels * dims.State);
        if (!all)
        {
            a = [.. a.Select(rate => (double)(float)-Math.Abs(rate))];
            delta = [.. delta.Select(Math.Abs)];
        }

        var (d, bias) = (RandomValues.Next(random, channels), RandomValues.Next(random, channels));

        using var stateRows = new TypedRows(f, batch * channels, dims.State, 0, state);
        using var uRows = new TypedRows(type, batch, channels, gap, u);
        using var deltaRows = new TypedRows(type, batch, channels, gap, delta);
        using var aRows = new TypedRows(f, channels, dims.State, 0, a);
        using var bRows = new TypedRows(type, batch, columns, gap, b);
        using var cRows = new TypedRows(type, batch, columns, gap, c);
        using var dRows = new TypedRows(f, 1, channels, 0, d);
        using var zRows = new TypedRows(type, batch, channels, gap, z);
        using var biasRows = new TypedRows(f, 1, channels, 0, bias);
        using var yRows = new TypedRows(type, batch, channels);
        HostCuda.Run(CudaSelectiveStateUpdate.Plan(new CudaStateUpdate
        {
            Dims = dims,
            State = stateRows.Rows,
            U = uRows.Rows,
            Delta = deltaRows.Rows,
            A = aRows.Rows,
            AIsLog = all,
            B = bRows.Rows,
            C = cRows.Rows,
            D = all ? dRows.Rows : default,
            Z = all ? zRows.Rows : default,
            DeltaBias = all ? biasRows.Rows : default,
            DeltaSoftplus = all,
            Y = yRows.Rows,
        }));

        using var want = new GuardedRows<double>(batch * channels, dims.State, 0, state);
        using var wantY = new GuardedRows<double>(batch, channels);
        using GuardedRows<double> x = new(batch, channels, 0, u), dt = new(batch, channels, 0, delta), rates = new(channels, dims.State, 0, a), left = new(batch, columns, 0, b),
            right = new(batch, columns, 0, c), skip = new(1, channels, 0, d), gate = new(batch, channels, 0, z), shift = new(1, channels, 0, bias);
        Reference.SelectiveStateUpdate.Step(new SelectiveStateUpdateStep<double>
        {
            Dims = dims,
            State = want.Rows,
            U = x.Rows,
            Delta = dt.Rows,
            A = rates.Rows,
            AIsLog = all,
            B = left.Rows,
            C = right.Rows,
            D = all ? skip.Rows : default,
            Z = all ? gate.Rows : default,
            DeltaBias = all ? shift.Rows : default,
            DeltaSoftplus = all,
            Y = wantY.Rows,
        });

        var what = $"{type}, {dims}, with everything {all}";
        Closeness.Assert($"{what}: state", want.Read("state"), stateRows.Read("state"), 2e-6);
        Closeness.Assert($"{what}: y", wantY.Read("y"), yRows.Read("y"), tolerance);
    }
}
