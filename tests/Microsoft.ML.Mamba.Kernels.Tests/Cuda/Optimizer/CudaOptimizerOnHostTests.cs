using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Optimizer;

/// <summary>The CUDA kernels of the optimizer, run on the processor, against the plain loops.</summary>
public sealed class CudaOptimizerOnHostTests
{
    private const CudaNumber F = CudaNumber.Float32;

    /// <summary>Sizes below, at and above those of a pack and a block, with the elements before the first that spoil the alignment.</summary>
    private static readonly (int Count, int Offset)[] Shapes = [(1, 16), (0, 16), (1031, 16), (50, 3), (16 * 1024, 16), (40_003, 16), (20_001, 5), (0, 16)];

    private static readonly AdamWStep Settings = new() { Number = 3, LearningRate = 0.01, Beta1 = 0.9, Beta2 = 0.98, WeightDecay = 0.1, GradientScale = 0.5 };

    /// <summary>No numbers to depend on; a length within the bound, at 5 beyond it; and numbers by which there must be no step.</summary>
    [SkippableTheory]
    [InlineData(null, 25.0, 2.0, 1.0)]
    [InlineData(1f, 25.0, 0.0, 1.0)]
    [InlineData(1f, 25.0, 6.0, 1.0)]
    [InlineData(1f, 25.0, 2.0, 2 / (5 + 1e-6))]
    [InlineData(float.NaN, 25.0, 2.0, null)]
    [InlineData(float.PositiveInfinity, 25.0, 0.0, null)]
    [InlineData(1f, double.NaN, 2.0, null)]
    [InlineData(1f, double.PositiveInfinity, 2.0, null)]
    public void A_step_of_AdamW_over_many_weights_agrees_with_the_plain_loop(float? loss, double sumOfSquares, double maxNorm, double? scale)
    {
        HostCuda.SkipIfMissing();
        using var lossAt = new NativeArray<float>([loss ?? 0]);
        using var sumAt = new NativeArray<double>([sumOfSquares]);
        CudaAdamWGuard guard = loss is null ? default : new(lossAt.Address, sumAt.Address, maxNorm, 1e-6);
        var random = new Random(1);
        TestWeight[] weights = [.. Shapes.Select((shape, i) => new TestWeight(random, shape.Count, shape.Offset, Settings with { Number = 1 + i, WeightDecay = 0.1 * i }))];
        var table = CudaAdamW.Table([.. weights.Select(weight => weight.Row)]);
        using var words = new NativeArray<long>(table.Words);
        HostCuda.Run(CudaAdamW.Plan(table, words.Address, guard));
        foreach (var weight in weights)
        {
            weight.AssertStepped(scale);
            weight.Dispose();
        }
    }

    [SkippableFact]
    public void The_sum_of_squares_over_many_tensors_agrees_with_the_plain_loop()
    {
        HostCuda.SkipIfMissing();
        var random = new Random(2);
        double[][] values = [.. Shapes.Select(shape => RandomValues.Next(random, shape.Count))];
        TypedRows[] rows = [.. Shapes.Zip(values, (shape, of) => new TypedRows(F, 1, shape.Count, 0, of, shape.Offset))];
        Closeness.Assert("sum", [values.Sum(of => of.Sum(value => value * value))], [Sum([.. rows.Select(row => row.Rows)])], 1e-7);
        foreach (var row in rows)
            row.Dispose();
    }

    [SkippableFact]
    public void The_sum_of_squares_is_not_finite_where_a_number_is_not()
    {
        HostCuda.SkipIfMissing();
        using TypedRows finite = new(F, 1, 3, 0, [1, 2, 3]), infinite = new(F, 1, 20_000, 0, [.. Enumerable.Range(0, 20_000).Select(i => i == 19_999 ? double.NaN : 0)]);
        Assert.Equal(14, Sum([finite.Rows]));
        Assert.False(double.IsFinite(Sum([finite.Rows, infinite.Rows])));
    }

    private static double Sum(CudaRows[] tensors)
    {
        var table = CudaSumOfSquares.Table([.. tensors.Select(rows => (rows.Address, rows.Width))]);
        using var words = new NativeArray<long>(table.Words);
        using var scratch = new NativeArray<double>(table.Blocks);
        using var result = new NativeArray<double>([double.NaN]);
        var (blocks, sum) = CudaSumOfSquares.Plan(table, words.Address, scratch.Address, result.Address);
        HostCuda.Run(blocks);
        HostCuda.Run(sum);
        return result[0];
    }

    private sealed class TestWeight : IDisposable
    {
        private readonly double[][] _before;
        private readonly TypedRows[] _rows;
        private readonly AdamWStep _step;
        private readonly int _count;

        public TestWeight(Random random, int count, int offset, AdamWStep step)
        {
            _before = [.. Enumerable.Range(0, 4).Select(i => RandomValues.Next(random, count).Select(value => i == 3 ? Math.Abs(value) : value).ToArray())];
            _rows = [.. _before.Select((values, i) => new TypedRows(F, 1, count, 0, values, i == 0 ? offset : 16))];
            (_step, _count) = (step, count);
        }

        public CudaAdamWWeight Row => new(_rows[0].Rows.Address, _rows[1].Rows.Address, _rows[2].Rows.Address, _rows[3].Rows.Address, _count, _step);

        /// <param name="scale">Factor of the gradients; null for no step.</param>
        public void AssertStepped(double? scale)
        {
            using GuardedRows<double> weight = new(1, _count, 0, _before[0]), gradient = new(1, _count, 0, _before[1]), first = new(1, _count, 0, _before[2]),
                second = new(1, _count, 0, _before[3]);
            if (scale is { } factor)
                Reference.AdamW.Step(weight.Rows, gradient.Rows, first.Rows, second.Rows, _step with { GradientScale = _step.GradientScale * factor });
            Closeness.Assert("weight", weight.Read("weight"), _rows[0].Read("weight"), 1e-6);
            Closeness.Assert("m", first.Read("m"), _rows[2].Read("m"), 1e-6);
            Closeness.Assert("v", second.Read("v"), _rows[3].Read("v"), 1e-6);
        }

        public void Dispose()
        {
            foreach (var rows in _rows)
                rows.Dispose();
        }
    }
}
