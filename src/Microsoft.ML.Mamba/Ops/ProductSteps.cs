using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Kernels.Cuda;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Steps of many sequences, for which libtorch's matrix products are best: the same kernels and products that go from op to op, with
/// tensors made once and addresses looked up once.
/// </summary>
internal sealed class ProductSteps : TokenSteps
{
    private readonly List<Tensor> _made = [];
    private readonly TokenStepInputs _inputs;
    private readonly CudaDevice _device;
    private readonly Layer[] _layers;
    private readonly Tensor _hidden, _normed, _projected, _u, _selected, _lowRank, _delta, _y;

    /// <summary>The residual stream before and after a block, in turns.</summary>
    private readonly Tensor[] _streams;

    private readonly CudaRows[] _streamRows;

    private ProductSteps(TokenStepInputs inputs)
    {
        using var scope = NewDisposeScope();
        var (batch, model, channels, type) = (inputs.Batch, inputs.Model, inputs.Channels, inputs.Type);
        var tensors = new CudaTensors(inputs.Blocks[0].In);
        Tensor New(ScalarType of, long width) => Kept(tensors.New(of, batch, width));
        (_inputs, _device) = (inputs, tensors.Device);
        (_hidden, _normed, _projected, _selected) = (New(type, model), New(type, model), New(type, 2 * channels), New(type, inputs.Rank + 2 * inputs.State));
        (_u, _delta, _y, _lowRank) = (New(type, channels), New(type, channels), New(type, channels), Kept(_selected.narrow(1, 0, inputs.Rank)));
        _streams = [New(ScalarType.Float32, model), New(ScalarType.Float32, model)];
        _streamRows = [.. _streams.Select(stream => tensors.Single(stream, "stream", batch, model))];
        _layers = [.. inputs.Blocks.Select(block => NewLayer(tensors, block))];
    }

    /// <summary>Prepares steps.</summary>
    /// <returns>Null for models with biases of projections or norms of what is selected, which few have, and where the kernels do not serve.</returns>
    public static new ProductSteps? TryPrepare(TokenStepInputs inputs)
    {
        var x = inputs.Blocks[0].In;
        var serve = inputs.SelectionEpsilon == 0 && inputs.CanBeKept() && inputs.Blocks.All(block => block.InBias is null && block.OutBias is null)
            && new[] { nameof(RmsNorm), nameof(CausalConv1d), nameof(SelectiveStateUpdate) }.All(op => KernelBackends.Choose(op, x) is CudaBackend);
        return serve ? new ProductSteps(inputs) : null;
    }

    public override Tensor Advance(ReadOnlySpan<int> ids, Tensor? position)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var content = TableRows.Of(_inputs.Embedding, tensor(ids.ToArray(), dtype: int64).MovedTo(_inputs.Embedding.device));
        _streams[0].copy_(position is null ? content : content.PlusInPlace(position));
        _hidden.zero_();
        for (var i = 0; i < _layers.Length; i++)
            Advance(_layers[i], _streamRows[i % 2], _streamRows[(i + 1) % 2]);
        var exact = _hidden.to(ScalarType.Float32);
        var normed = RmsNorm.Forward(exact, _streams[_layers.Length % 2], _inputs.LastNorm, _inputs.NormEpsilon, returnSum: false).Y;
        return nn.functional.linear(normed, _inputs.Head).MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        foreach (var tensor in _made)
            tensor.Dispose();
    }

    private void Advance(Layer layer, CudaRows before, CudaRows after)
    {
        CudaRmsNorm.Forward(_device, layer.Hidden, before, layer.Norm, _inputs.NormEpsilon, layer.Normed, after);
        Multiply(_normed, layer.In, _projected);
        CudaCausalConv1d.Step(_device, layer.ConvolutionDims, layer.Inputs, layer.X, layer.Convolution, layer.ConvolutionBias, silu: true, layer.Scan.U);
        Multiply(_u, layer.Select, _selected);
        Multiply(_lowRank, layer.Delta, _delta);
        CudaSelectiveStateUpdate.Step(_device, layer.Scan);
        Multiply(_y, layer.Out, _hidden);
    }

    /// <summary>y = x·weight; what y held before does not count.</summary>
    private static void Multiply(Tensor x, Tensor weight, Tensor y) => y.addmm_(x, weight, beta: 0, alpha: 1);

    private Layer NewLayer(CudaTensors tensors, BlockStepOperands block)
    {
        var (batch, model, channels, width, n, type) = (_inputs.Batch, _inputs.Model, _inputs.Channels, _inputs.Width, _inputs.State, _inputs.Type);
        var (x, gate) = (Kept(_projected.narrow(1, 0, channels)), Kept(_projected.narrow(1, channels, channels)));
        var (b, c) = (Kept(_selected.narrow(1, _inputs.Rank, n)), Kept(_selected.narrow(1, _inputs.Rank + n, n)));
        return new Layer(
            tensors.Dense(_hidden, "hidden", batch, model, type),
            tensors.Single(block.Norm, "norm", 1, model),
            tensors.Dense(_normed, "normed", batch, model, type),
            Kept(block.In.t()),
            new ConvDims(batch, 1, channels, width),
            tensors.Dense(block.Inputs, "inputs", batch * (width - 1), channels, type),
            tensors.Input(x, "x"),
            tensors.Single(block.Convolution, "convolution", channels, width),
            tensors.Single(block.ConvolutionBias, "convolutionBias", 1, channels),
            Kept(block.Select.t()),
            Kept(block.Delta.t()),
            new CudaStateUpdate
            {
                Dims = new ScanDims(batch, 1, channels, n),
                State = tensors.Single(block.State, "state", batch * channels, n),
                U = tensors.Dense(_u, "u", batch, channels, type),
                Delta = tensors.Dense(_delta, "delta", batch, channels, type),
                A = tensors.Single(block.ALog, "aLog", channels, n),
                AIsLog = true,
                B = tensors.Input(b, "b"),
                C = tensors.Input(c, "c"),
                D = tensors.Single(block.Skip, "skip", 1, channels),
                Z = tensors.Input(gate, "gate"),
                DeltaBias = tensors.Single(block.DeltaBias, "deltaBias", 1, channels),
                DeltaSoftplus = true,
                Y = tensors.Dense(_y, "y", batch, channels, type),
            },
            Kept(block.Out.t()));
    }

    private Tensor Kept(Tensor tensor)
    {
        _made.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>A block: addresses for kernels, transposed views of matrices for products.</summary>
    private sealed record Layer(
        CudaRows Hidden, CudaRows Norm, CudaRows Normed, Tensor In, ConvDims ConvolutionDims, CudaRows Inputs, CudaRows X, CudaRows Convolution, CudaRows ConvolutionBias,
        Tensor Select, Tensor Delta, CudaStateUpdate Scan, Tensor Out);
}
