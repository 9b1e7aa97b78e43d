using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The scan as one node of the autograd graph.</summary>
internal sealed class SelectiveScanFunction : autograd.MultiTensorFunction<SelectiveScanFunction>
{
    private const string CallKey = "call";

    public override string Name => nameof(SelectiveScan);

    public static (Tensor Y, Tensor? FinalState) Apply(IBackwardKernels kernels, ScanInputs inputs, bool finalState)
    {
        var call = new Call(kernels, inputs.DeltaSoftplus, finalState, Wanted(inputs));
        var results = apply(
            call, inputs.U, inputs.Delta, inputs.A, inputs.B, inputs.C, inputs.D!, inputs.Z!, inputs.DeltaBias!, inputs.InitialState!);
        call.ForwardTensors.Release();
        return (results[0], finalState ? results[1] : null);
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        var inputs = new ScanInputs(
            (Tensor)vars[1], (Tensor)vars[2], (Tensor)vars[3], (Tensor)vars[4], (Tensor)vars[5],
            vars[6] as Tensor, vars[7] as Tensor, vars[8] as Tensor, vars[9] as Tensor, call.DeltaSoftplus);
        var (y, last, checkpoints) = call.Kernels.SelectiveScanForward(inputs, call.FinalState, forBackward: true);
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        ctx.save_for_backward(
        [
            inputs.U, inputs.Delta, inputs.A, inputs.B, inputs.C, inputs.D!, inputs.Z!, inputs.DeltaBias!, inputs.InitialState!, checkpoints!,
        ]);
        call.ForwardTensors.Keep(y, last, checkpoints);
        return last is null ? [y] : [y, last];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        ReturnedGradients.Release();
        var call = (Call)ctx.get_data(CallKey);
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var inputs = new ScanInputs(
            saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6], saved[7], saved[8], call.DeltaSoftplus);
        using var dy = ReturnedGradients.Defined(grad_outputs[0]);
        using var dLast = call.FinalState ? ReturnedGradients.Defined(grad_outputs[1]) : null;
        var g = call.Kernels.SelectiveScanBackward(inputs, saved[9], dy, dLast, call.Wanted);
        return ReturnedGradients.Hold(null, g.U, g.Delta, g.A, g.B, g.C, g.D, g.Z, g.DeltaBias, g.InitialState);
    }

    private static ScanOperands Wanted(ScanInputs inputs) =>
        If(inputs.U, ScanOperands.U) | If(inputs.Delta, ScanOperands.Delta) | If(inputs.A, ScanOperands.A) | If(inputs.B, ScanOperands.B) |
        If(inputs.C, ScanOperands.C) | If(inputs.D, ScanOperands.D) | If(inputs.Z, ScanOperands.Z) |
        If(inputs.DeltaBias, ScanOperands.DeltaBias) | If(inputs.InitialState, ScanOperands.InitialState);

    private static ScanOperands If(Tensor? operand, ScanOperands flag) =>
        operand is not null && operand.requires_grad ? flag : ScanOperands.None;

    private sealed record Call(IBackwardKernels Kernels, bool DeltaSoftplus, bool FinalState, ScanOperands Wanted)
    {
        public ForwardTensors ForwardTensors { get; } = new();
    }
}
