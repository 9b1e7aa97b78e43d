using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Generation;

/// <summary>The CUDA step of a whole model, run on the processor phase by phase, against the plain loops.</summary>
public sealed class CudaTokenStepOnHostTests
{
    /// <summary>Sizes, V, whether there are biases, the epsilon of the selection, and multiprocessors: some rows of a matrix shared by warps, some not.</summary>
    private static readonly (BlockStepDims Dims, int Vocabulary, bool Biased, double SelectionEpsilon, int Multiprocessors)[] Cases =
    [
        (new(1, 16, 32, 4, 16, 1), 40, true, 0, 3),
        (new(2, 48, 96, 2, 1, 3), 33, false, 1e-6, 1),
        (new(3, 1032, 264, 8, 40, 40), 11, true, 0, 2),
        (new(8, 24, 560, 3, 17, 7), 70, true, 0.5, 5),
    ];

    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 3e-5)]
    [InlineData(CudaNumber.BFloat16, 3e-2)]
    [InlineData(CudaNumber.Float16, 4e-3)]
    public void Scores_and_states_agree_with_the_plain_loops(CudaNumber type, double tolerance)
    {
        HostCuda.SkipIfMissing();
        foreach (var (dims, vocabulary, biased, selectionEpsilon, multiprocessors) in Cases)
        {
            using var problem = new TokenProblem(type, dims, vocabulary, biased, selectionEpsilon);
            using var host = new HostTokenSteps(problem.Model, multiprocessors);
            var what = $"{type}, {dims}, biased {biased}, epsilon {selectionEpsilon}";
            for (var step = 0; step < 2; step++)
            {
                int[] ids = [.. Enumerable.Range(step, (int)dims.Batch).Select(row => row * 5 % vocabulary)];
                Closeness.Assert($"{what}: scores of step {step}", problem.InPlainLoops(ids), host.Advance(ids, problem.Position), tolerance);
            }

            problem.AssertStates(what, tolerance, tolerance);
        }
    }

    [SkippableFact]
    public void A_sequence_has_the_same_bits_alone_and_in_a_batch()
    {
        HostCuda.SkipIfMissing();
        var dims = new BlockStepDims(5, 48, 264, 4, 16, 3);
        using var together = new TokenProblem(CudaNumber.BFloat16, dims, 20, biased: false, selectionEpsilon: 0);
        using var host = new HostTokenSteps(together.Model, 2);
        int[] ids = [7, 7, 3, 7, 0];
        var all = host.Advance(ids, default);
        for (var row = 0; row < ids.Length; row++)
        {
            using var problem = new TokenProblem(CudaNumber.BFloat16, dims, 20, biased: false, selectionEpsilon: 0);
            using var alone = new HostTokenSteps(problem.Only(row), 2);
            Bits.AssertSame($"sequence {row}", all[(row * 20)..((row + 1) * 20)], alone.Advance([ids[row]], default));
        }
    }

    /// <summary>Memory and launches as <see cref="CudaTokenSteps"/> has them, one phase a launch: blocks run one after the other here.</summary>
    private sealed class HostTokenSteps : IDisposable
    {
        private readonly CudaTokenModel _model;
        private readonly CudaLaunch<CudaTokenStepArguments> _launch;
        private readonly NativeArray<CudaTokenBlockArguments> _table;
        private readonly NativeArray<float>[] _parts;

        public HostTokenSteps(CudaTokenModel model, int multiprocessors)
        {
            model.Require();
            Assert.True(model.IsAligned);
            (_model, _launch) = (model, CudaTokenStep.Plan(model, multiprocessors));
            _table = new([.. model.Blocks.Select(block => block.Arguments)]);
            var dims = model.Dims;
            _parts = [.. new[] { dims.Model, dims.Channels, dims.Channels, dims.Selected, dims.Channels }.Select(width => new NativeArray<float>(dims.Batch * width))];
            foreach (var part in _parts)
                part.AsSpan().Fill(float.NaN);
        }

        public double[] Advance(int[] ids, CudaRows position)
        {
            using var idsOfStep = new NativeArray<int>(ids);
            using var scores = new NativeArray<float>(_model.Dims.Batch * _model.Embedding.Count);
            scores.AsSpan().Fill(float.NaN);
            for (var phase = 0; phase < _launch.Arguments.EndPhase; phase++)
            {
                HostCuda.Run(_launch with
                {
                    Arguments = _launch.Arguments with
                    {
                        Blocks = _table.Address, Ids = idsOfStep.Address, Position = position.Address, Stream = _parts[0].Address, U = _parts[1].Address, Gate = _parts[2].Address,
                        Selected = _parts[3].Address, Y = _parts[4].Address, Scores = scores.Address, FirstPhase = phase, EndPhase = phase + 1,
                    },
                });
            }

            return [.. scores.AsSpan().ToArray().Select(score => (double)score)];
        }

        public void Dispose()
        {
            _table.Dispose();
            foreach (var part in _parts)
                part.Dispose();
        }
    }
}
