using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The CUDA kernels of Microsoft.ML.Mamba.Kernels: float32, bfloat16 or float16 on NVIDIA GPUs, on torch's default stream. Whatever the
/// type of the op's input, parameters, their gradients and the scan's state are float32, and so are all sums.
/// </summary>
internal sealed partial class CudaBackend : IBackwardKernels
{
    private static readonly Lazy<string> Missing = new(() => CudaDevice.IsAvailable(out var reason) ? "" : reason);

    public CudaBackend()
    {
        static Device Of(int index) => device(DeviceType.CUDA, index);
        Trials = new KernelTrials(this, Of);
        StepTrials = new KernelTrials(this, Of, "for whole steps of generation, which go from op to op instead");
    }

    public string Name => "cuda";

    /// <summary>How the kernels did when they were first used.</summary>
    public KernelTrials Trials { get; }

    /// <summary>The same for steps of a whole model, which ops can do without.</summary>
    public KernelTrials StepTrials { get; }

    public bool Supports(DeviceType device, ScalarType type, out string reason)
    {
        reason = device != DeviceType.CUDA ? "it computes on NVIDIA GPUs only"
            : !CudaTensors.Knows(type, out _) ? "it takes Float32, BFloat16 and Float16 only"
            : Missing.Value;
        return reason.Length == 0;
    }

    public bool IsReady(string op, int deviceIndex, ScalarType type, out string reason)
    {
        if (op != nameof(TokenSteps))
            return Trials.Passed(op, deviceIndex, type, out reason);
        if (CudaDevice.Get(deviceIndex).LaunchesCooperatively)
            return StepTrials.Passed(op, deviceIndex, type, out reason);
        reason = "the GPU cannot let all blocks of a launch run at once";
        return false;
    }

    public Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog)
    {
        using var scope = NewDisposeScope();
        var tensors = new CudaTensors(x);
        var (batch, channels, n) = (state.size(0), state.size(1), checked((int)state.size(2)));
        var y = tensors.New(x.dtype, batch, channels);
        var own = state.dtype == ScalarType.Float32 ? state : state.to(ScalarType.Float32);
        CudaSelectiveStateUpdate.Step(tensors.Device, new CudaStateUpdate
        {
            Dims = new ScanDims(batch, 1, channels, n, checked((int)(b.size(1) / n))),
            State = tensors.Single(own, "state", batch * channels, n),
            U = tensors.Input(x, "x"),
            Delta = tensors.Input(delta, "delta"),
            A = tensors.Single(a, "a", channels, n),
            AIsLog = aIsLog,
            B = tensors.Input(b, "b"),
            C = tensors.Input(c, "c"),
            D = tensors.Single(d, "d", 1, channels),
            Z = tensors.Input(z, "z"),
            DeltaBias = tensors.Single(deltaBias, "deltaBias", 1, channels),
            DeltaSoftplus = deltaSoftplus,
            Y = tensors.Dense(y, "y", batch, channels, x.dtype),
        });
        if (!ReferenceEquals(own, state))
            state.copy_(own);
        GC.KeepAlive((state, x, delta, a, b, c, d, z, deltaBias));
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState)
    {
        using var scope = NewDisposeScope();
        var (tensors, dims, type) = (new CudaTensors(inputs.X), Dims(inputs), inputs.X.dtype);
        var y = tensors.New(type, dims.Batch, dims.Length, dims.Channels);
        var last = finalState ? tensors.New(type, dims.Batch, dims.History, dims.Channels) : null;
        CudaCausalConv1d.Forward(
            tensors.Device, dims, tensors.Input(inputs.X, "x"), tensors.Single(inputs.Weight, "weight", dims.Channels, dims.Width),
            tensors.Single(inputs.Bias, "bias", 1, dims.Channels), tensors.Input(inputs.Initial, "initial"), inputs.Silu,
            tensors.Dense(y, "y", dims.Steps, dims.Channels, type), tensors.Dense(last, "last", dims.Batch * dims.History, dims.Channels, type));
        GC.KeepAlive(inputs);
        return (y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope());
    }

    public ConvGradients CausalConv1dBackward(ConvInputs inputs, Tensor? dy, Tensor? dFinalState, ConvOperands wanted, Tensor? dx = null)
    {
        using var scope = NewDisposeScope();
        var (tensors, dims, type) = (new CudaTensors(inputs.X), Dims(inputs), inputs.X.dtype);
        Tensor? Wanted(ConvOperands operand, ScalarType of, params ReadOnlySpan<long> shape) => wanted.HasFlag(operand) ? tensors.New(of, shape) : null;
        var dInput = dx ?? Wanted(ConvOperands.X, type, dims.Batch, dims.Length, dims.Channels);
        var dWeight = Wanted(ConvOperands.Weight, ScalarType.Float32, dims.Channels, dims.Width);
        var dBias = Wanted(ConvOperands.Bias, ScalarType.Float32, dims.Channels);
        var dInitial = Wanted(ConvOperands.Initial, type, dims.Batch, dims.History, dims.Channels);
        var sums = dWeight is not null || dBias is not null;
        CudaCausalConv1d.Backward(
            tensors.Device, dims, tensors.Input(inputs.X, "x"), tensors.Single(inputs.Weight, "weight", dims.Channels, dims.Width),
            tensors.Single(inputs.Bias, "bias", 1, dims.Channels), tensors.Input(inputs.Initial, "initial"), inputs.Silu,
            tensors.Input(dy, "dy"), tensors.Input(dFinalState, "dFinalState"),
            tensors.Output(dInput, "dx"), tensors.Single(dWeight, "dWeight", dims.Channels, dims.Width),
            tensors.Single(dBias, "dBias", 1, dims.Channels), tensors.Dense(dInitial, "dInitial", dims.Batch * dims.History, dims.Channels, type),
            sums ? tensors.Scratch(ScalarType.Float32, CudaCausalConv1d.BackwardScratch(tensors.Device, dims)) : 0);
        GC.KeepAlive((inputs, dy, dFinalState, dx));
        return new ConvGradients(dx ?? dInput?.MoveToOuterDisposeScope(), Given(dWeight, inputs.Weight), Given(dBias, inputs.Bias), Given(dInitial, inputs.Initial));
    }

    public Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu)
    {
        using var scope = NewDisposeScope();
        var (tensors, type) = (new CudaTensors(x), x.dtype);
        var dims = new ConvDims(x.size(0), 1, x.size(1), checked((int)weight.size(1)));
        var y = tensors.New(type, dims.Batch, dims.Channels);
        var own = state.dtype == type ? state : state.to(type);
        CudaCausalConv1d.Step(
            tensors.Device, dims, tensors.Dense(own, "state", dims.Batch * dims.History, dims.Channels, type), tensors.Input(x, "x"),
            tensors.Single(weight, "weight", dims.Channels, dims.Width), tensors.Single(bias, "bias", 1, dims.Channels), silu,
            tensors.Dense(y, "y", dims.Batch, dims.Channels, type));
        if (!ReferenceEquals(own, state))
            state.copy_(own);
        GC.KeepAlive((state, x, weight, bias));
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum)
    {
        using var scope = NewDisposeScope();
        var (tensors, type) = (new CudaTensors(x), x.dtype);
        var sumType = SumType(type, residual);
        var rows = tensors.Input(x, "x");
        var y = tensors.New(type, x.shape);
        var s = residual is null || !sum ? null : tensors.New(sumType, x.shape);
        CudaRmsNorm.Forward(
            tensors.Device, rows, tensors.Rows(residual, "residual", sumType), tensors.Single(weight, "weight", 1, rows.Width), epsilon,
            tensors.Dense(y, "y", rows.Count, rows.Width, type), tensors.Dense(s, "sum", rows.Count, rows.Width, sumType));
        GC.KeepAlive((x, residual, weight));
        return (y.MoveToOuterDisposeScope(), sum ? (s ?? x.alias()).MoveToOuterDisposeScope() : null);
    }

    public (Tensor DX, Tensor DResidual, Tensor DWeight) RmsNormBackward(Tensor sum, Tensor weight, double epsilon, Tensor? dy, Tensor? dSum, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (tensors, sumType) = (new CudaTensors(sum), sum.dtype);
        var rows = tensors.Input(sum, "sum");
        var dx = tensors.New(type, sum.shape);
        var dResidual = type == sumType ? dx : tensors.New(sumType, sum.shape);
        var dWeight = tensors.New(ScalarType.Float32, weight.shape);
        CudaRmsNorm.Backward(
            tensors.Device, rows, tensors.Single(weight, "weight", 1, rows.Width), epsilon, tensors.Rows(dy, "dy", type), tensors.Input(dSum, "dSum"),
            tensors.Dense(dx, "dx", rows.Count, rows.Width, type),
            type == sumType ? default : tensors.Dense(dResidual, "dResidual", rows.Count, rows.Width, sumType),
            tensors.Single(dWeight, "dWeight", 1, rows.Width),
            tensors.Scratch(ScalarType.Float32, CudaRmsNorm.BackwardScratch(tensors.Device, rows.Count, rows.Width)));
        GC.KeepAlive((sum, weight, dy, dSum));
        if (!ReferenceEquals(dx, dResidual))
            dResidual.MoveToOuterDisposeScope();
        return (dx.MoveToOuterDisposeScope(), dResidual, Given(dWeight, weight)!);
    }

    public Tensor ReverseSequences(Tensor x, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var (tensors, type) = (new CudaTensors(x), x.dtype);
        var y = tensors.New(type, x.shape);
        var rows = tensors.Input(x, "x");
        var onDevice = tensor(lengths).to(x.device, copy: false, disposeAfter: false, non_blocking: true);
        CudaSequenceReverse.Launch(
            tensors.Device, rows.Address, rows.Stride, TensorRows.Dense(onDevice), x.size(0), x.size(1), x.size(2), type == ScalarType.Float32 ? sizeof(float) : sizeof(short),
            TensorRows.Dense(y), rows.Width);
        GC.KeepAlive(x);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>x·scale with values dropped as <see cref="CounterDropout"/> says.</summary>
    public Tensor Dropout(Tensor x, ulong key, uint threshold, float scale)
    {
        using var scope = NewDisposeScope();
        var (tensors, count) = (new CudaTensors(x), x.NumberOfElements);
        var y = tensors.New(x.dtype, x.shape);
        var rows = tensors.Dense(x, "x", 1, count, x.dtype);
        CudaCounterDropout.Apply(tensors.Device, rows.Type, rows.Address, TensorRows.Dense(y), count, key, threshold, scale);
        GC.KeepAlive(x);
        return y.MoveToOuterDisposeScope();
    }

    public Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        Tensor InType(Tensor tensor) => tensor.dtype == x.dtype ? tensor : tensor.to(x.dtype);
        return nn.functional.linear(x, InType(weight), bias is null ? null : InType(bias)).MoveToOuterDisposeScope();
    }

    private static ConvDims Dims(ConvInputs inputs) => new(inputs.Batch, inputs.Length, inputs.Channels, inputs.Width);

    /// <summary>Type of x + residual: the wider of both.</summary>
    private static ScalarType SumType(ScalarType type, Tensor? residual) => residual is null || residual.dtype == type ? type : ScalarType.Float32;

    /// <summary>A gradient in its operand's own type, for the caller's scope.</summary>
    private static Tensor? Given(Tensor? gradient, Tensor? operand)
    {
        if (gradient is null)
            return null;
        return (operand is null || operand.dtype == gradient.dtype ? gradient : gradient.to(operand.dtype)).MoveToOuterDisposeScope();
    }
}
