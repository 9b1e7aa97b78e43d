using System.Numerics;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Block;

/// <summary>Random blocks with their states, and a stream, in guarded memory.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal sealed class BlockStepProblem<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<GuardedRows<T>> _all = [];
    private readonly List<(string Name, GuardedRows<T> Rows)> _outputs = [];
    private readonly BlockStepDims _dims;
    private readonly double _selectionEpsilon;

    /// <param name="dims">Sizes.</param>
    /// <param name="biased">Whether there are biases that may be left out.</param>
    /// <param name="selectionEpsilon">As in <see cref="BlockSteps.Advance"/>.</param>
    /// <param name="onlySequence">The one sequence of the batch that this problem holds; null for all.</param>
    public BlockStepProblem(BlockStepDims dims, bool biased, double selectionEpsilon, int? onlySequence = null)
    {
        var random = new Random(dims.GetHashCode());
        (_dims, _selectionEpsilon) = (onlySequence is null ? dims : dims with { Batch = 1 }, selectionEpsilon);
        var (batch, model, channels, width, state, rank) = dims;
        Rows<T> Weight(long count, long columns, double scale, bool given = true)
        {
            var rows = Keep(new GuardedRows<T>(count, columns, 0, RandomValues.Next(random, count * columns, scale)));
            return given ? rows.Rows : default;
        }

        Rows<T> PerSequence(string name, long perSequence, long columns, double scale)
        {
            var values = RandomValues.Next(random, batch * perSequence * columns, scale);
            var part = (int)(perSequence * columns);
            var rows = Keep(new GuardedRows<T>(_dims.Batch * perSequence, columns, 0, onlySequence is { } only ? values[(only * part)..((only + 1) * part)] : values));
            _outputs.Add((name, rows));
            return rows.Rows;
        }

        (Hidden, Residual) = (PerSequence("hidden", 1, model, 1), PerSequence("residual", 1, model, 1));
        Blocks = new BlockStep<T>[2];
        for (var i = 0; i < Blocks.Length; i++)
        {
            Blocks[i] = new BlockStep<T>
            {
                Norm = Weight(1, model, 1.5),
                In = Weight(2 * channels, model, 2 / Math.Sqrt(model)),
                InBias = Weight(1, 2 * channels, 0.5, biased),
                Convolution = Weight(channels, width, 0.8),
                ConvolutionBias = Weight(1, channels, 0.5, biased),
                Select = Weight(dims.Selected, channels, 2 / Math.Sqrt(channels)),
                Delta = Weight(channels, rank, 1 / Math.Sqrt(rank)),
                DeltaBias = Weight(1, channels, 1, biased),
                ALog = Weight(channels, state, 1),
                Skip = Weight(1, channels, 1, biased),
                Out = Weight(model, channels, 2 / Math.Sqrt(channels)),
                OutBias = Weight(1, model, 0.5, biased),
                Inputs = PerSequence($"inputs of block {i}", width - 1, channels, 1),
                State = PerSequence($"state of block {i}", channels, state, 1),
            };
        }
    }

    public BlockStep<T>[] Blocks { get; }

    public Rows<T> Hidden { get; }

    public Rows<T> Residual { get; }

    /// <summary>Everything that two steps in the plain loops change.</summary>
    public Dictionary<string, double[]> InPlainLoops() => After(() => Reference.BlockSteps.Advance(_dims, Blocks, Hidden, Residual, 1e-5, _selectionEpsilon));

    /// <summary>Everything that two calls of <paramref name="step"/> change.</summary>
    public Dictionary<string, double[]> After(Action step)
    {
        step();
        step();
        var results = _outputs.ToDictionary(o => o.Name, o => o.Rows.Read(o.Name));
        foreach (var rows in _all)
        {
            rows.Read("a weight");
        }

        return results;
    }

    public void Dispose()
    {
        foreach (var rows in _all)
        {
            rows.Dispose();
        }
    }

    private GuardedRows<T> Keep(GuardedRows<T> rows)
    {
        _all.Add(rows);
        return rows;
    }
}
