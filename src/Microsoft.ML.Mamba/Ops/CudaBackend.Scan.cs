using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The scan over whole sequences. Its final state is float32 whatever the type of the inputs.</summary>
internal sealed partial class CudaBackend
{
    public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward)
    {
        using var scope = NewDisposeScope();
        var (tensors, dims, type) = (new CudaTensors(inputs.U), Dims(inputs), inputs.U.dtype);
        var y = tensors.New(type, dims.Batch, dims.Length, dims.Channels);
        var last = finalState ? tensors.New(ScalarType.Float32, dims.Batch, dims.Channels, dims.State) : null;
        if (dims.Steps == 0)
        {
            if (inputs.InitialState is { } initial)
                last?.copy_(initial);
            else
                last?.zero_();
            return new ScanOutputs(y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope(), null);
        }

        var checkpoints = forBackward ? tensors.New(ScalarType.Float32, CudaSelectiveScan.CheckpointLength(tensors.Device, dims)) : null;
        CudaSelectiveScan.Forward(
            tensors.Device, dims, Rows(tensors, dims, inputs), tensors.Dense(y, "y", dims.Steps, dims.Channels, type),
            tensors.Single(last, "finalState", dims.Batch * dims.Channels, dims.State),
            checkpoints is null ? 0 : TensorRows.Dense(checkpoints), tensors.Scratch(ScalarType.Float32, CudaSelectiveScan.ForwardScratch(tensors.Device, dims)));
        GC.KeepAlive(inputs);
        return new ScanOutputs(y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope(), checkpoints?.MoveToOuterDisposeScope());
    }

    public ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted, Tensor? dz = null)
    {
        using var scope = NewDisposeScope();
        var (tensors, dims, type) = (new CudaTensors(inputs.U), Dims(inputs), inputs.U.dtype);
        long batch = dims.Batch, length = dims.Length, channels = dims.Channels, columns = (long)dims.Groups * dims.State;
        Tensor? Wanted(ScanOperands operand, ScalarType of, params ReadOnlySpan<long> shape) => wanted.HasFlag(operand) ? tensors.New(of, shape) : null;
        var du = tensors.New(type, batch, length, channels);
        var dDelta = tensors.New(type, batch, length, channels);
        var dGate = inputs.Z is null ? null : dz ?? tensors.New(type, batch, length, channels);
        var dA = Wanted(ScanOperands.A, ScalarType.Float32, channels, dims.State);
        var dB = Wanted(ScanOperands.B, type, batch, length, columns);
        var dC = Wanted(ScanOperands.C, type, batch, length, columns);
        var dD = Wanted(ScanOperands.D, ScalarType.Float32, channels);
        var dBias = Wanted(ScanOperands.DeltaBias, ScalarType.Float32, channels);
        var dInitial = Wanted(ScanOperands.InitialState, ScalarType.Float32, batch, channels, dims.State);
        if (dims.Steps == 0)
        {
            foreach (var parameter in new[] { dA, dD, dBias, dInitial })
                parameter?.zero_();
            if (dFinalState is not null)
                dInitial?.copy_(dFinalState);
        }
        else
        {
            dy ??= zeros(batch, length, channels, dtype: type, device: inputs.U.device);
            var gradients = new CudaScanGradients
            {
                U = tensors.Dense(du, "du", dims.Steps, channels, type),
                Delta = tensors.Dense(dDelta, "dDelta", dims.Steps, channels, type),
                A = tensors.Single(dA, "dA", channels, dims.State),
                B = tensors.Dense(dB, "dB", dims.Steps, columns, type),
                C = tensors.Dense(dC, "dC", dims.Steps, columns, type),
                D = tensors.Single(dD, "dD", 1, channels),
                Z = tensors.Output(dGate, "dz"),
                DeltaBias = tensors.Single(dBias, "dDeltaBias", 1, channels),
                InitialState = tensors.Single(dInitial, "dInitialState", batch * channels, dims.State),
            };
            CudaSelectiveScan.Backward(
                tensors.Device, dims, Rows(tensors, dims, inputs), TensorRows.Dense(checkpoints!), tensors.Input(dy, "dy"),
                tensors.Single(dFinalState, "dFinalState", batch * channels, dims.State), gradients,
                tensors.Scratch(ScalarType.Float32, CudaSelectiveScan.BackwardScratch(tensors.Device, dims)));
        }

        GC.KeepAlive((inputs, checkpoints, dy, dFinalState, dz));
        Tensor? Input(Tensor? gradient, Tensor? operand, ScanOperands flag) => wanted.HasFlag(flag) ? Given(gradient, operand) : null;
        return new ScanGradients(
            Input(du, inputs.U, ScanOperands.U), Input(dDelta, inputs.Delta, ScanOperands.Delta), Given(dA, inputs.A), Given(dB, inputs.B), Given(dC, inputs.C),
            Given(dD, inputs.D), dz ?? Input(dGate, inputs.Z, ScanOperands.Z), Given(dBias, inputs.DeltaBias), Given(dInitial, inputs.InitialState));
    }

    private static CudaScanInputs Rows(CudaTensors tensors, ScanDims dims, ScanInputs inputs) => new()
    {
        U = tensors.Input(inputs.U, "u"),
        Delta = tensors.Input(inputs.Delta, "delta"),
        A = tensors.Single(inputs.A, "a", dims.Channels, dims.State),
        B = tensors.Input(inputs.B, "b"),
        C = tensors.Input(inputs.C, "c"),
        D = tensors.Single(inputs.D, "d", 1, dims.Channels),
        Z = tensors.Input(inputs.Z, "z"),
        DeltaBias = tensors.Single(inputs.DeltaBias, "deltaBias", 1, dims.Channels),
        InitialState = tensors.Single(inputs.InitialState, "initialState", dims.Batch * dims.Channels, dims.State),
        DeltaSoftplus = inputs.DeltaSoftplus,
    };

    private static ScanDims Dims(ScanInputs inputs) => new(inputs.Batch, inputs.Length, inputs.Channels, inputs.State, inputs.Groups);
}
