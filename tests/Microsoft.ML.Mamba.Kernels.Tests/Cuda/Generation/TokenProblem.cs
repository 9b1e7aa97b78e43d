using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Generation;

/// <summary>A small random model with states, in the types of the kernel and in doubles for the plain loops.</summary>
internal sealed class TokenProblem : IDisposable
{
    private const int Layers = 2;
    private const double NormEpsilon = 1e-5;

    private readonly List<IDisposable> _all = [];
    private readonly List<(string Name, TypedRows Got, GuardedRows<double> Want)> _states = [];
    private readonly Random _random;
    private readonly BlockStepDims _dims;
    private readonly long _vocabulary;
    private readonly double _selectionEpsilon;
    private readonly BlockStep<double>[] _blocks = new BlockStep<double>[Layers];
    private readonly double[] _embedding, _position;
    private readonly Rows<double> _lastNorm, _head;

    /// <param name="type">Type of the blocks' projections.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="vocabulary">V.</param>
    /// <param name="biased">Whether there are biases and a position, which may be left out.</param>
    /// <param name="selectionEpsilon">Of the norms of what is selected; 0 for none.</param>
    public TokenProblem(CudaNumber type, BlockStepDims dims, int vocabulary, bool biased, double selectionEpsilon)
    {
        (_random, _dims, _vocabulary, _selectionEpsilon) = (new Random(dims.GetHashCode()), dims, vocabulary, selectionEpsilon);
        const CudaNumber Single = CudaNumber.Float32;
        var (batch, model, channels, width, state, rank) = dims;
        var blocks = new CudaTokenBlock[Layers];
        for (var i = 0; i < Layers; i++)
        {
            var norm = Weight(Single, 1, model, 1.5);
            var projectIn = Weight(type, 2 * channels, model, 2 / Math.Sqrt(model));
            var inBias = Weight(Single, 1, 2 * channels, 0.5, biased);
            var convolution = Weight(Single, channels, width, 0.8);
            var convolutionBias = Weight(Single, 1, channels, 0.5, biased);
            var select = Weight(type, dims.Selected, channels, 2 / Math.Sqrt(channels));
            var delta = Weight(type, channels, rank, 1 / Math.Sqrt(rank));
            var deltaBias = Weight(Single, 1, channels, 1, biased);
            var aLog = Weight(Single, channels, state, 1);
            var skip = Weight(Single, 1, channels, 1, biased);
            var projectOut = Weight(type, model, channels, 2 / Math.Sqrt(channels));
            var outBias = Weight(Single, 1, model, 0.5, biased);
            var inputs = State($"inputs of block {i}", type, batch * (width - 1), channels);
            var scan = State($"state of block {i}", Single, batch * channels, state);
            blocks[i] = new CudaTokenBlock
            {
                Norm = norm.Cuda, In = projectIn.Cuda, InBias = inBias.Cuda, Convolution = convolution.Cuda, ConvolutionBias = convolutionBias.Cuda, Select = select.Cuda,
                Delta = delta.Cuda, DeltaBias = deltaBias.Cuda, ALog = aLog.Cuda, Skip = skip.Cuda, Out = projectOut.Cuda, OutBias = outBias.Cuda, Inputs = inputs.Cuda,
                State = scan.Cuda,
            };
            _blocks[i] = new BlockStep<double>
            {
                Norm = norm.Exact, In = projectIn.Exact, InBias = inBias.Exact, Convolution = convolution.Exact, ConvolutionBias = convolutionBias.Exact, Select = select.Exact,
                Delta = delta.Exact, DeltaBias = deltaBias.Exact, ALog = aLog.Exact, Skip = skip.Exact, Out = projectOut.Exact, OutBias = outBias.Exact, Inputs = inputs.Exact,
                State = scan.Exact,
            };
        }

        var embedding = Weight(Single, vocabulary, model, 1);
        var position = Weight(Single, 1, model, 1, biased);
        var (lastNorm, head) = (Weight(Single, 1, model, 1.5), Weight(Single, vocabulary, model, 2 / Math.Sqrt(model)));
        (_embedding, _position, _lastNorm, _head) = (embedding.Values, biased ? position.Values : new double[model], lastNorm.Exact, head.Exact);
        Position = position.Cuda;
        Model = new CudaTokenModel
        {
            Dims = dims, Blocks = blocks, Embedding = embedding.Cuda, LastNorm = lastNorm.Cuda, Head = head.Cuda, NormEpsilon = NormEpsilon, SelectionEpsilon = selectionEpsilon,
        };
    }

    public CudaTokenModel Model { get; }

    /// <summary>Absent without biases.</summary>
    public CudaRows Position { get; }

    /// <summary>The model with one of the sequences alone.</summary>
    public CudaTokenModel Only(int sequence)
    {
        CudaRows Part(CudaRows rows)
        {
            var count = rows.Count / _dims.Batch;
            return rows with { Address = rows.Address + (nint)(sequence * count * rows.Width * rows.Type.Bytes()), Count = count };
        }

        return new CudaTokenModel
        {
            Dims = _dims with { Batch = 1 },
            Blocks = [.. Model.Blocks.Select(block => block with { Inputs = Part(block.Inputs), State = Part(block.State) })],
            Embedding = Model.Embedding, LastNorm = Model.LastNorm, Head = Model.Head, NormEpsilon = NormEpsilon, SelectionEpsilon = _selectionEpsilon,
        };
    }

    /// <summary>One token of each sequence in the plain loops.</summary>
    public double[] InPlainLoops(int[] ids)
    {
        var (batch, model) = (_dims.Batch, (int)_dims.Model);
        using var hidden = new NativeArray<double>([.. ids.SelectMany(id => Enumerable.Range(0, model).Select(m => _embedding[id * model + m] + _position[m]))]);
        using var residual = new NativeArray<double>(batch * model);
        using var normed = new NativeArray<double>(batch * model);
        using var scores = new NativeArray<double>(batch * _vocabulary);
        Reference.BlockSteps.Advance(_dims, _blocks, hidden.AsRows(batch, model), residual.AsRows(batch, model), NormEpsilon, _selectionEpsilon);
        Reference.RmsNorm.Forward(hidden.AsRows(batch, model), residual.AsRows(batch, model), _lastNorm, NormEpsilon, normed.AsRows(batch, model), residual.AsRows(batch, model));
        Reference.LinearStep.Apply(normed.AsRows(batch, model), _head, default, scores.AsRows(batch, _vocabulary));
        return scores.AsSpan().ToArray();
    }

    /// <summary>Asserts that the states are those of the plain loops.</summary>
    public void AssertStates(string what, double inputs, double states)
    {
        foreach (var (name, got, want) in _states)
            Closeness.Assert($"{what}: {name}", want.Read(name), got.Read(name), name.StartsWith("inputs", StringComparison.Ordinal) ? inputs : states);
    }

    public void Dispose()
    {
        foreach (var item in _all)
            item.Dispose();
    }

    private (CudaRows Cuda, Rows<double> Exact, double[] Values) Weight(CudaNumber type, long count, long width, double scale, bool given = true)
    {
        var (got, want, values) = Pair(type, count, width, scale);
        return given ? (got.Rows, want.Rows, values) : default;
    }

    private (CudaRows Cuda, Rows<double> Exact) State(string name, CudaNumber type, long count, long width)
    {
        var (got, want, _) = Pair(type, count, width, 1);
        _states.Add((name, got, want));
        return (got.Rows, want.Rows);
    }

    private (TypedRows Got, GuardedRows<double> Want, double[] Values) Pair(CudaNumber type, long count, long width, double scale)
    {
        var values = TypedRows.Round(type, RandomValues.Next(_random, count * width, scale));
        var (got, want) = (new TypedRows(type, count, width, 0, values), new GuardedRows<double>(count, width, 0, values));
        _all.AddRange([got, want]);
        return (got, want, values);
    }
}
