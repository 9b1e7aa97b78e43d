using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// All of a mixer between its two projections as one node of the autograd graph: convolution, selection, scan and gate. Gradients that
/// torch would add, or join from halves, are written where they belong. Source: <c>mamba_inner_fn</c> of state-spaces/mamba e9594ce.
/// </summary>
internal sealed class MixerFunction : autograd.MultiTensorFunction<MixerFunction>
{
    private const string CallKey = "call";

    private const ScanOperands ScanWanted =
        ScanOperands.U | ScanOperands.Delta | ScanOperands.A | ScanOperands.B | ScanOperands.C | ScanOperands.D | ScanOperands.Z | ScanOperands.DeltaBias;

    public override string Name => "MambaMixer";

    /// <summary>The kernels that compute both ops for a graph; null where ops have to go one by one.</summary>
    public static IBackwardKernels? Kernels(MixerInputs inputs) =>
        AutogradNeed.Any(inputs.Projected, inputs.Filters, inputs.FilterBias, inputs.SelectWeight, inputs.StepWeight, inputs.StepBias, inputs.ALog, inputs.D)
        && KernelBackends.Choose(nameof(SelectiveScan), inputs.Projected) is IBackwardKernels kernels
        && ReferenceEquals(kernels, KernelBackends.Choose(nameof(CausalConv1d), inputs.Projected))
            ? kernels
            : null;

    /// <returns>(B, L, D), gated.</returns>
    public static Tensor Apply(IBackwardKernels kernels, MixerInputs inputs)
    {
        var call = new Call(kernels, inputs.SelectWeight.dtype);
        var y = apply(
            call, inputs.Projected, inputs.Filters, inputs.FilterBias!, inputs.SelectWeight, inputs.StepWeight, inputs.StepBias, inputs.ALog, inputs.D)[0];
        call.ForwardTensors.Release();
        return y;
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        var inputs = new MixerInputs(
            (Tensor)vars[1], (Tensor)vars[2], vars[3] as Tensor, (Tensor)vars[4], (Tensor)vars[5], (Tensor)vars[6], (Tensor)vars[7], (Tensor)vars[8]);
        using var scope = NewDisposeScope();
        var (x, z) = inputs.Halves();
        var u = call.Kernels.CausalConv1dForward(inputs.Convolution(x), finalState: false).Y;                  // (B, L, D)
        Tensor select = inputs.SelectWeight.to(u.dtype), step = inputs.StepWeight.to(u.dtype);
        var selected = inputs.Rows(u).mm(select.t());                                                         // (B·L, R + 2·N)
        var delta = inputs.Rank(selected).mm(step.t()).view_as(u);                                            // (B, L, D)
        var a = inputs.ALog.exp().neg_();                                                                     // (D, N)
        var (y, _, checkpoints) = call.Kernels.SelectiveScanForward(inputs.Scan(u, delta, a, selected, z), finalState: false, forBackward: true);
        ctx.set_materialize_grads(false);
        ctx.save_data(CallKey, call);
        ctx.save_for_backward(
        [
            inputs.Projected, inputs.Filters, inputs.FilterBias!, select, step, inputs.StepBias, inputs.ALog, inputs.D,
            u, selected, delta, a, checkpoints!,
        ]);
        foreach (var kept in new[] { select, step, u, selected, delta, a, y, checkpoints })
            kept?.DetachFromDisposeScope();
        call.ForwardTensors.Keep(select, step, u, selected, delta, a, y, checkpoints);
        return [y];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        ReturnedGradients.Release();
        var call = (Call)ctx.get_data(CallKey);
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var inputs = new MixerInputs(saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6], saved[7]);
        var (u, selected, delta, a, checkpoints) = (saved[8], saved[9], saved[10], saved[11], saved[12]);
        var (x, z) = inputs.Halves();
        using var dy = ReturnedGradients.Defined(grad_outputs[0]);
        var gradient = inputs with { Projected = empty_like(inputs.Projected) };
        var (dx, dz) = gradient.Halves();
        var scan = call.Kernels.SelectiveScanBackward(inputs.Scan(u, delta, a, selected, z), checkpoints, dy, null, ScanWanted, dz);
        Tensor dDelta = inputs.Rows(scan.Delta!), du = inputs.Rows(scan.U!);
        var dSelected = cat([dDelta.mm(inputs.StepWeight), scan.B!.view(-1, inputs.State), scan.C!.view(-1, inputs.State)], 1);
        du.addmm_(dSelected, inputs.SelectWeight);
        var convolved = ConvOperands.X | ConvOperands.Weight | (inputs.FilterBias is null ? ConvOperands.None : ConvOperands.Bias);
        var conv = call.Kernels.CausalConv1dBackward(inputs.Convolution(x), scan.U!, null, convolved, dx);
        return ReturnedGradients.Hold(
            null,
            gradient.Projected,
            conv.Weight,
            conv.Bias,
            dSelected.t().mm(inputs.Rows(u)).to(call.Weights),
            dDelta.t().mm(inputs.Rank(selected)).to(call.Weights),
            scan.DeltaBias,
            scan.A!.mul_(a),
            scan.D);
    }

    /// <param name="Kernels">The backend.</param>
    /// <param name="Weights">Type of the weights, and of their gradients; products are computed in that of the activations.</param>
    private sealed record Call(IBackwardKernels Kernels, ScalarType Weights)
    {
        public ForwardTensors ForwardTensors { get; } = new();
    }
}
