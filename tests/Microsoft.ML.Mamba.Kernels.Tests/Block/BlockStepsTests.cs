namespace Microsoft.ML.Mamba.Kernels.Tests.Block;

public sealed class BlockStepsTests
{
    /// <summary>B, M, D, W, N, R.</summary>
    private static readonly BlockStepDims[] Shapes =
    [
        new(1, 1, 1, 2, 1, 1), new(1, 7, 13, 3, 1, 1), new(3, 13, 29, 4, 16, 2), new(2, 31, 67, 5, 16, 3), new(1, 16, 32, 6, 4, 1), new(5, 11, 131, 7, 17, 7),
        new(2, 96, 192, 8, 16, 6), new(1, 300, 601, 4, 16, 19), new(1, 1200, 257, 2, 5, 11),
    ];

    public static TheoryData<int> Widths => [.. SimdWidth.Supported];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Any_shape_agrees_with_the_plain_loops(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        foreach (var shape in Shapes)
        {
            foreach (var (biased, selectionEpsilon) in new[] { (true, 0.0), (false, 0.0), (false, 1e-6), (true, 0.5) })
            {
                using var problem = new BlockStepProblem<float>(shape, biased, selectionEpsilon);
                using var exact = new BlockStepProblem<double>(shape, biased, selectionEpsilon);
                var got = Advance(problem, shape, selectionEpsilon);
                foreach (var (name, want) in exact.InPlainLoops())
                {
                    Closeness.Assert($"{shape}, biased {biased}, epsilon {selectionEpsilon}: {name}", want, got[name], 3e-5); // through two blocks, twice
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_number_of_threads_changes_no_bit(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        foreach (var shape in Shapes)
        {
            using var first = new BlockStepProblem<float>(shape, biased: true, selectionEpsilon: 1e-6);
            var alone = Advance(first, shape, 1e-6, threads: 1);
            foreach (var threads in new[] { 2, 3, 8 })
            {
                using var problem = new BlockStepProblem<float>(shape, biased: true, selectionEpsilon: 1e-6);
                foreach (var (name, got) in Advance(problem, shape, 1e-6, threads))
                {
                    Bits.AssertSame($"{shape}, {threads} threads: {name}", alone[name], got);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_sequence_does_not_depend_on_the_others(int bits)
    {
        using var forced = SimdWidth.Force(bits);
        foreach (var shape in Shapes.Where(shape => shape.Batch > 1))
        {
            using var whole = new BlockStepProblem<float>(shape, biased: true, selectionEpsilon: 0);
            var together = Advance(whole, shape, 0);
            for (var sequence = 0; sequence < shape.Batch; sequence++)
            {
                using var problem = new BlockStepProblem<float>(shape, biased: true, selectionEpsilon: 0, sequence);
                foreach (var (name, alone) in Advance(problem, shape with { Batch = 1 }, 0))
                {
                    Bits.AssertSame($"{shape}, sequence {sequence}: {name}", together[name][(sequence * alone.Length)..((sequence + 1) * alone.Length)], alone);
                }
            }
        }
    }

    [Fact]
    public void Without_blocks_or_sequences_nothing_changes()
    {
        var dims = new BlockStepDims(2, 3, 5, 4, 2, 1);
        using var problem = new BlockStepProblem<float>(dims, biased: true, selectionEpsilon: 0);
        using var untouched = new BlockStepProblem<float>(dims, biased: true, selectionEpsilon: 0);
        var (want, got) = (untouched.After(() => { }), problem.After(() =>
        {
            BlockSteps.Advance(dims, [], problem.Hidden, problem.Residual, 1e-5, 0);
            BlockSteps.Advance(dims with { Batch = 0 }, problem.Blocks, default, default, 1e-5, 0);
        }));
        Assert.All(want, p => Bits.AssertSame(p.Key, p.Value, got[p.Key]));
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        var dims = new BlockStepDims(2, 3, 5, 4, 2, 1);
        using var problem = new BlockStepProblem<float>(dims, biased: true, selectionEpsilon: 0);
        var (blocks, hidden, residual) = (problem.Blocks, problem.Hidden, problem.Residual);
        Throws("BlockSteps: hidden has shape (2, 3); expected (B, M) = (2, 4).", () => BlockSteps.Advance(dims with { Model = 4 }, blocks, hidden, residual, 1e-5, 0));
        Throws("BlockSteps: in has shape (10, 3); expected (2·D, M) = (12, 3).", () => BlockSteps.Advance(dims with { Channels = 6 }, blocks, hidden, residual, 1e-5, 0));
        Throws("BlockSteps: delta has shape (5, 1); expected (D, R) = (5, 3).", () => BlockSteps.Advance(dims with { Rank = 3, State = 1 }, blocks, hidden, residual, 1e-5, 0));
        Throws("BlockSteps: residual lies at the address of hidden; expected memory of its own.", () => BlockSteps.Advance(dims, blocks, hidden, hidden, 1e-5, 0));
        Throws("BlockSteps: normEpsilon is 0 and selectionEpsilon is 0; expected finite numbers > 0 and ≥ 0.", () => BlockSteps.Advance(dims, blocks, hidden, residual, 0, 0));
        Throws("BlockSteps: dims.Model (M) is 3 and dims.Rank (R) is 0; expected ≥ 1.", () => BlockSteps.Advance(dims with { Rank = 0 }, blocks, hidden, residual, 1e-5, 0));
        Throws("BlockSteps: dims.Width (W) is 9; expected 2 ≤ W ≤ 8.", () => BlockSteps.Advance(dims with { Width = 9 }, blocks, hidden, residual, 1e-5, 0));
    }

    private static Dictionary<string, double[]> Advance(BlockStepProblem<float> problem, BlockStepDims dims, double selectionEpsilon, int threads = 0) =>
        problem.After(() => BlockSteps.Advance(dims, problem.Blocks, problem.Hidden, problem.Residual, 1e-5, selectionEpsilon, threads));

    private static void Throws(string start, Action call) => Assert.StartsWith(start, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
}
