using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The causal convolution as one node of the autograd graph.</summary>
internal sealed class CausalConv1dFunction : autograd.MultiTensorFunction<CausalConv1dFunction>
{
    private const string CallKey = "call";

    public override string Name => nameof(CausalConv1d);

    public static (Tensor Y, Tensor? FinalState) Apply(IBackwardKernels kernels, ConvInputs inputs, bool finalState)
    {
        var call = new Call(kernels, inputs.Silu, finalState, Wanted(inputs));
        var results = apply(call, inputs.X, inputs.Weight, inputs.Bias!, inputs.Initial!);
        call.ForwardTensors.Release();
        return (results[0], finalState ? results[1] : null);
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        var inputs = new ConvInputs((Tensor)vars[1], (Tensor)vars[2], vars[3] as Tensor, vars[4] as Tensor, call.Silu);
        var (y, last) = call.Kernels.CausalConv1dForward(inputs, call.FinalState);
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        ctx.save_for_backward([inputs.X, inputs.Weight, inputs.Bias!, inputs.Initial!]);
        call.ForwardTensors.Keep(y, last);
        return last is null ? [y] : [y, last];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        ReturnedGradients.Release();
        var call = (Call)ctx.get_data(CallKey);
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var inputs = new ConvInputs(saved[0], saved[1], saved[2], saved[3], call.Silu);
        using var dy = ReturnedGradients.Defined(grad_outputs[0]);
        using var dLast = call.FinalState ? ReturnedGradients.Defined(grad_outputs[1]) : null;
        var g = call.Kernels.CausalConv1dBackward(inputs, dy, dLast, call.Wanted);
        return ReturnedGradients.Hold(null, g.X, g.Weight, g.Bias, g.Initial);
    }

    private static ConvOperands Wanted(ConvInputs inputs) =>
        If(inputs.X, ConvOperands.X) | If(inputs.Weight, ConvOperands.Weight) | If(inputs.Bias, ConvOperands.Bias) | If(inputs.Initial, ConvOperands.Initial);

    private static ConvOperands If(Tensor? operand, ConvOperands flag) =>
        operand is not null && operand.requires_grad ? flag : ConvOperands.None;

    private sealed record Call(IBackwardKernels Kernels, bool Silu, bool FinalState, ConvOperands Wanted)
    {
        public ForwardTensors ForwardTensors { get; } = new();
    }
}
