using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The norm as one node of the autograd graph: with a residual it has two outputs, y and the sum.</summary>
internal sealed class RmsNormFunction : autograd.MultiTensorFunction<RmsNormFunction>
{
    private const string CallKey = "call";

    public override string Name => nameof(RmsNorm);

    public static (Tensor Y, Tensor? Sum) Apply(IBackwardKernels kernels, Tensor x, Tensor? residual, Tensor weight, double epsilon, bool returnSum)
    {
        var call = new Call(kernels, epsilon, x.dtype, HasResidual: residual is not null, SumIsOutput: residual is not null && returnSum);
        var results = apply(call, x, residual!, weight);
        call.ForwardTensors.Release();
        return (results[0], call.SumIsOutput ? results[1] : returnSum ? x.alias() : null);
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        var x = (Tensor)vars[1];
        var weight = (Tensor)vars[3];
        var (y, sum) = call.Kernels.RmsNormForward(x, vars[2] as Tensor, weight, call.Epsilon, sum: call.HasResidual);
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        ctx.save_for_backward([sum ?? x, weight]);
        call.ForwardTensors.Keep(y, sum);
        return call.SumIsOutput ? [y, sum!] : [y];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        ReturnedGradients.Release();
        var call = (Call)ctx.get_data(CallKey);
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        using var dy = ReturnedGradients.Defined(grad_outputs[0]);
        using var dSum = call.SumIsOutput ? ReturnedGradients.Defined(grad_outputs[1]) : null;
        var (dx, dResidual, dWeight) = call.Kernels.RmsNormBackward(saved[0], saved[1], call.Epsilon, dy, dSum, call.Type);
        return ReturnedGradients.Hold(null, dx, call.HasResidual ? dResidual : null, dWeight);
    }

    private sealed record Call(IBackwardKernels Kernels, double Epsilon, ScalarType Type, bool HasResidual, bool SumIsOutput)
    {
        public ForwardTensors ForwardTensors { get; } = new();
    }
}
