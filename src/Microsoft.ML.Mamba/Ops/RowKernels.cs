using Microsoft.ML.Mamba.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The ops on kernels that know rows of numbers only: makes the results, hands over addresses, keeps every tensor alive meanwhile.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="name">Name of the backend.</param>
/// <param name="bodies">The kernels.</param>
internal sealed class RowKernels<T>(string name, IKernelBodies<T> bodies) : IBackwardKernels, IStepKernels
    where T : unmanaged
{
    private static readonly ScalarType ElementType = typeof(T) == typeof(double) ? ScalarType.Float64 : ScalarType.Float32;

    public string Name => name;

    public bool Supports(DeviceType device, ScalarType type, out string reason)
    {
        reason = device != DeviceType.CPU ? "it computes on the CPU only" : type != ElementType ? $"it takes {ElementType} only" : "";
        return reason.Length == 0;
    }

    public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward)
    {
        using var scope = NewDisposeScope();
        var dims = Dims(inputs);
        var y = New(dims.Batch, dims.Length, dims.Channels);
        var last = finalState ? New(dims.Batch, dims.Channels, dims.State) : null;
        var checkpointLength = forBackward ? bodies.CheckpointLength(dims) : 0;
        var checkpoints = checkpointLength > 0 ? New(checkpointLength) : null;
        bodies.ScanForward(new SelectiveScanForward<T>
        {
            Dims = dims,
            U = TensorRows.Of<T>(inputs.U, "u"),
            Delta = TensorRows.Of<T>(inputs.Delta, "delta"),
            A = TensorRows.OfOptional<T>(inputs.A, "a", dims.Channels, dims.State),
            B = TensorRows.Of<T>(inputs.B, "b"),
            C = TensorRows.Of<T>(inputs.C, "c"),
            D = TensorRows.OfOptional<T>(inputs.D, "d", 1, dims.Channels),
            Z = TensorRows.OfOptional<T>(inputs.Z, "z"),
            DeltaBias = TensorRows.OfOptional<T>(inputs.DeltaBias, "deltaBias", 1, dims.Channels),
            InitialState = TensorRows.OfOptional<T>(inputs.InitialState, "initialState", dims.Batch * dims.Channels, dims.State),
            DeltaSoftplus = inputs.DeltaSoftplus,
            Y = TensorRows.OfNew<T>(y, dims.Steps, dims.Channels),
            FinalState = TensorRows.OfNew<T>(last, dims.Batch * dims.Channels, dims.State),
            Checkpoints = TensorRows.OfNew<T>(checkpoints, 1, checkpointLength),
        });
        GC.KeepAlive(inputs);
        return new ScanOutputs(y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope(), checkpoints?.MoveToOuterDisposeScope());
    }

    public ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted, Tensor? dz = null)
    {
        using var scope = NewDisposeScope();
        var dims = Dims(inputs);
        long batch = dims.Batch, length = dims.Length, channels = dims.Channels, columns = (long)dims.Groups * dims.State;
        Tensor? Wanted(ScanOperands operand, params ReadOnlySpan<long> shape) => wanted.HasFlag(operand) ? New(shape) : null;
        var g = new ScanGradients(
            Wanted(ScanOperands.U, batch, length, channels),
            Wanted(ScanOperands.Delta, batch, length, channels),
            Wanted(ScanOperands.A, channels, dims.State),
            Wanted(ScanOperands.B, batch, length, columns),
            Wanted(ScanOperands.C, batch, length, columns),
            Wanted(ScanOperands.D, channels),
            dz ?? Wanted(ScanOperands.Z, batch, length, channels),
            Wanted(ScanOperands.DeltaBias, channels),
            Wanted(ScanOperands.InitialState, batch, channels, dims.State));
        bodies.ScanBackward(new SelectiveScanBackward<T>
        {
            Dims = dims,
            U = TensorRows.Of<T>(inputs.U, "u"),
            Delta = TensorRows.Of<T>(inputs.Delta, "delta"),
            A = TensorRows.OfOptional<T>(inputs.A, "a", channels, dims.State),
            B = TensorRows.Of<T>(inputs.B, "b"),
            C = TensorRows.Of<T>(inputs.C, "c"),
            D = TensorRows.OfOptional<T>(inputs.D, "d", 1, channels),
            Z = TensorRows.OfOptional<T>(inputs.Z, "z"),
            DeltaBias = TensorRows.OfOptional<T>(inputs.DeltaBias, "deltaBias", 1, channels),
            InitialState = TensorRows.OfOptional<T>(inputs.InitialState, "initialState", batch * channels, dims.State),
            DeltaSoftplus = inputs.DeltaSoftplus,
            Checkpoints = TensorRows.OfOptional<T>(checkpoints, "checkpoints", 1, checkpoints?.shape[0] ?? 0),
            DY = TensorRows.OfOptional<T>(dy, "dy"),
            DFinalState = TensorRows.OfOptional<T>(dFinalState, "dFinalState", batch * channels, dims.State),
            DU = TensorRows.OfNew<T>(g.U, dims.Steps, channels),
            DDelta = TensorRows.OfNew<T>(g.Delta, dims.Steps, channels),
            DA = TensorRows.OfNew<T>(g.A, channels, dims.State),
            DB = TensorRows.OfNew<T>(g.B, dims.Steps, columns),
            DC = TensorRows.OfNew<T>(g.C, dims.Steps, columns),
            DD = TensorRows.OfNew<T>(g.D, 1, channels),
            DZ = TensorRows.OfOutput<T>(g.Z, "dz"),
            DDeltaBias = TensorRows.OfNew<T>(g.DeltaBias, 1, channels),
            DInitialState = TensorRows.OfNew<T>(g.InitialState, batch * channels, dims.State),
        });
        GC.KeepAlive((inputs, checkpoints, dy, dFinalState));
        foreach (var gradient in new[] { g.U, g.Delta, g.A, g.B, g.C, g.D, dz is null ? g.Z : null, g.DeltaBias, g.InitialState })
            gradient?.MoveToOuterDisposeScope();
        return g;
    }

    public Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, n) = (state.size(0), state.size(1), checked((int)state.size(2)));
        var y = New(batch, channels);
        bodies.ScanStep(new SelectiveStateUpdateStep<T>
        {
            Dims = new ScanDims(batch, 1, channels, n, checked((int)(b.size(1) / n))),
            State = TensorRows.OfOptional<T>(state, "state", batch * channels, n),
            U = TensorRows.Of<T>(x, "x"),
            Delta = TensorRows.Of<T>(delta, "delta"),
            A = TensorRows.OfOptional<T>(a, "a", channels, n),
            AIsLog = aIsLog,
            B = TensorRows.Of<T>(b, "b"),
            C = TensorRows.Of<T>(c, "c"),
            D = TensorRows.OfOptional<T>(d, "d", 1, channels),
            Z = TensorRows.OfOptional<T>(z, "z"),
            DeltaBias = TensorRows.OfOptional<T>(deltaBias, "deltaBias", 1, channels),
            DeltaSoftplus = deltaSoftplus,
            Y = TensorRows.OfNew<T>(y, batch, channels),
        });
        GC.KeepAlive((state, x, delta, a, b, c, d, z, deltaBias));
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState)
    {
        using var scope = NewDisposeScope();
        var dims = Dims(inputs);
        var y = New(dims.Batch, dims.Length, dims.Channels);
        var last = finalState ? New(dims.Batch, dims.History, dims.Channels) : null;
        bodies.ConvForward(new CausalConv1dForward<T>
        {
            Dims = dims,
            X = TensorRows.Of<T>(inputs.X, "x"),
            Weight = TensorRows.OfOptional<T>(inputs.Weight, "weight", dims.Channels, dims.Width),
            Bias = TensorRows.OfOptional<T>(inputs.Bias, "bias", 1, dims.Channels),
            InitialState = TensorRows.OfOptional<T>(inputs.Initial, "initial", dims.Batch * dims.History, dims.Channels),
            Silu = inputs.Silu,
            Y = TensorRows.OfNew<T>(y, dims.Steps, dims.Channels),
            FinalState = TensorRows.OfNew<T>(last, dims.Batch * dims.History, dims.Channels),
        });
        GC.KeepAlive(inputs);
        return (y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope());
    }

    public ConvGradients CausalConv1dBackward(ConvInputs inputs, Tensor? dy, Tensor? dFinalState, ConvOperands wanted, Tensor? dx = null)
    {
        using var scope = NewDisposeScope();
        var dims = Dims(inputs);
        Tensor? Wanted(ConvOperands operand, params ReadOnlySpan<long> shape) => wanted.HasFlag(operand) ? New(shape) : null;
        var g = new ConvGradients(
            dx ?? Wanted(ConvOperands.X, dims.Batch, dims.Length, dims.Channels),
            Wanted(ConvOperands.Weight, dims.Channels, dims.Width),
            Wanted(ConvOperands.Bias, dims.Channels),
            Wanted(ConvOperands.Initial, dims.Batch, dims.History, dims.Channels));
        dy ??= zeros(dims.Batch, dims.Length, dims.Channels, dtype: ElementType);
        bodies.ConvBackward(new CausalConv1dBackward<T>
        {
            Dims = dims,
            X = TensorRows.Of<T>(inputs.X, "x"),
            Weight = TensorRows.OfOptional<T>(inputs.Weight, "weight", dims.Channels, dims.Width),
            Bias = TensorRows.OfOptional<T>(inputs.Bias, "bias", 1, dims.Channels),
            InitialState = TensorRows.OfOptional<T>(inputs.Initial, "initial", dims.Batch * dims.History, dims.Channels),
            Silu = inputs.Silu,
            DY = TensorRows.Of<T>(dy, "dy"),
            DFinalState = TensorRows.OfOptional<T>(dFinalState, "dFinalState", dims.Batch * dims.History, dims.Channels),
            DX = TensorRows.OfOutput<T>(g.X, "dx"),
            DWeight = TensorRows.OfNew<T>(g.Weight, dims.Channels, dims.Width),
            DBias = TensorRows.OfNew<T>(g.Bias, 1, dims.Channels),
            DInitialState = TensorRows.OfNew<T>(g.Initial, dims.Batch * dims.History, dims.Channels),
        });
        GC.KeepAlive((inputs, dy, dFinalState));
        foreach (var gradient in new[] { dx is null ? g.X : null, g.Weight, g.Bias, g.Initial })
            gradient?.MoveToOuterDisposeScope();
        return g;
    }

    public Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu)
    {
        using var scope = NewDisposeScope();
        var dims = new ConvDims(x.size(0), 1, x.size(1), checked((int)weight.size(1)));
        var y = New(dims.Batch, dims.Channels);
        bodies.ConvStep(new CausalConv1dStep<T>
        {
            Dims = dims,
            State = TensorRows.OfOptional<T>(state, "state", dims.Batch * dims.History, dims.Channels),
            X = TensorRows.Of<T>(x, "x"),
            Weight = TensorRows.OfOptional<T>(weight, "weight", dims.Channels, dims.Width),
            Bias = TensorRows.OfOptional<T>(bias, "bias", 1, dims.Channels),
            Silu = silu,
            Y = TensorRows.OfNew<T>(y, dims.Batch, dims.Channels),
        });
        GC.KeepAlive((state, x, weight, bias));
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum)
    {
        using var scope = NewDisposeScope();
        var y = New(x.shape);
        var s = residual is null || !sum ? null : New(x.shape);
        var rows = TensorRows.Of<T>(x, "x");
        bodies.NormForward(
            rows,
            TensorRows.OfOptional<T>(residual, "residual"),
            TensorRows.OfOptional<T>(weight, "weight", 1, rows.Width),
            epsilon,
            TensorRows.OfNew<T>(y, rows.Count, rows.Width),
            TensorRows.OfNew<T>(s, rows.Count, rows.Width));
        GC.KeepAlive((x, residual, weight));
        return (y.MoveToOuterDisposeScope(), sum ? (s ?? x.alias()).MoveToOuterDisposeScope() : null);
    }

    public (Tensor DX, Tensor DResidual, Tensor DWeight) RmsNormBackward(Tensor sum, Tensor weight, double epsilon, Tensor? dy, Tensor? dSum, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var dx = New(sum.shape);
        var dWeight = New(weight.shape);
        var rows = TensorRows.Of<T>(sum, "sum");
        dy ??= zeros(sum.shape, dtype: ElementType);
        bodies.NormBackward(
            rows,
            TensorRows.OfOptional<T>(weight, "weight", 1, rows.Width),
            epsilon,
            TensorRows.Of<T>(dy, "dy"),
            TensorRows.OfOptional<T>(dSum, "dSum"),
            TensorRows.OfNew<T>(dx, rows.Count, rows.Width),
            TensorRows.OfNew<T>(dWeight, 1, rows.Width));
        GC.KeepAlive((sum, weight, dy, dSum));
        dx.MoveToOuterDisposeScope();
        return (dx, dx, dWeight.MoveToOuterDisposeScope());
    }

    public Tensor ReverseSequences(Tensor x, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var y = New(x.shape);
        var rows = TensorRows.Of<T>(x, "x");
        bodies.Reverse(rows, lengths, x.shape[1], TensorRows.OfNew<T>(y, rows.Count, rows.Width));
        GC.KeepAlive(x);
        return y.MoveToOuterDisposeScope();
    }

    public Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var (rows, weights) = (TensorRows.Of<T>(x, "x"), TensorRows.Of<T>(weight, "weight"));
        var y = New(rows.Count, weights.Count);
        bodies.LinearStep(rows, weights, TensorRows.OfOptional<T>(bias, "bias", 1, weights.Count), TensorRows.OfNew<T>(y, rows.Count, weights.Count));
        GC.KeepAlive((x, weight, bias));
        return y.MoveToOuterDisposeScope();
    }

    public void BlockSteps(BlockStepInputs inputs)
    {
        using var scope = NewDisposeScope();
        var dims = new BlockStepDims(inputs.Hidden.size(0), inputs.Model, inputs.Channels, inputs.Width, inputs.State, inputs.Rank);
        var blocks = new BlockStep<T>[inputs.Blocks.Length];
        for (var i = 0; i < blocks.Length; i++)
            blocks[i] = Rows(inputs.Blocks[i], dims);
        bodies.BlockSteps(
            dims, blocks, TensorRows.OfOptional<T>(inputs.Hidden, "hidden", dims.Batch, dims.Model), TensorRows.OfOptional<T>(inputs.Residual, "residual", dims.Batch, dims.Model),
            inputs.NormEpsilon, inputs.SelectionEpsilon);
        GC.KeepAlive(inputs);
    }

    private static BlockStep<T> Rows(BlockStepOperands block, in BlockStepDims dims) => new()
    {
        Norm = TensorRows.OfOptional<T>(block.Norm, "norm", 1, dims.Model),
        In = TensorRows.OfOptional<T>(block.In, "in", 2 * dims.Channels, dims.Model),
        InBias = TensorRows.OfOptional<T>(block.InBias, "inBias", 1, 2 * dims.Channels),
        Convolution = TensorRows.OfOptional<T>(block.Convolution, "convolution", dims.Channels, dims.Width),
        ConvolutionBias = TensorRows.OfOptional<T>(block.ConvolutionBias, "convolutionBias", 1, dims.Channels),
        Select = TensorRows.OfOptional<T>(block.Select, "select", dims.Selected, dims.Channels),
        Delta = TensorRows.OfOptional<T>(block.Delta, "delta", dims.Channels, dims.Rank),
        DeltaBias = TensorRows.OfOptional<T>(block.DeltaBias, "deltaBias", 1, dims.Channels),
        ALog = TensorRows.OfOptional<T>(block.ALog, "aLog", dims.Channels, dims.State),
        Skip = TensorRows.OfOptional<T>(block.Skip, "skip", 1, dims.Channels),
        Out = TensorRows.OfOptional<T>(block.Out, "out", dims.Model, dims.Channels),
        OutBias = TensorRows.OfOptional<T>(block.OutBias, "outBias", 1, dims.Model),
        Inputs = TensorRows.OfOptional<T>(block.Inputs, "inputs", dims.Batch * (dims.Width - 1), dims.Channels),
        State = TensorRows.OfOptional<T>(block.State, "state", dims.Batch * dims.Channels, dims.State),
    };

    public void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard)
    {
        using var scope = NewDisposeScope();
        foreach (var w in AdamWWeight.Guarded(weights, guard))
            bodies.AdamWStep(Flat(w.Weight, "weight"), Flat(w.Gradient, "gradient"), Flat(w.FirstMoment, "firstMoment"), Flat(w.SecondMoment, "secondMoment"), w.Step);
        GC.KeepAlive(weights);
    }

    public Tensor SumOfSquares(IReadOnlyList<Tensor> values)
    {
        using var scope = NewDisposeScope();
        var sum = values.Sum(tensor => bodies.SumOfSquares(Flat(tensor, "values")));
        GC.KeepAlive(values);
        return tensor(sum).MoveToOuterDisposeScope();
    }

    private static Rows<T> Flat(Tensor tensor, string name) => TensorRows.OfOptional<T>(tensor, name, 1, tensor.NumberOfElements);

    private static ScanDims Dims(ScanInputs inputs) => new(inputs.Batch, inputs.Length, inputs.Channels, inputs.State, inputs.Groups);

    private static ConvDims Dims(ConvInputs inputs) => new(inputs.Batch, inputs.Length, inputs.Channels, inputs.Width);

    private static Tensor New(params ReadOnlySpan<long> shape) => empty(shape, dtype: ElementType, device: CPU);
}
