using Microsoft.ML.Mamba.Kernels;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The ops as plain tensor operations, differentiable by torch: what one would write by hand with TorchSharp, and the fall-back for
/// devices that have no kernels of their own. The scan keeps (B, L, D, N) tensors and walks the positions one by one. With inputs
/// narrower than float32 it computes in float32, as kernels do, and rounds the results.
/// </summary>
internal sealed class TorchKernels : IKernelBackend
{
    public string Name => "torch";

    public bool Supports(DeviceType device, ScalarType type, out string reason)
    {
        var floating = type is ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16;
        reason = floating ? "" : "it takes floating types only";
        return floating;
    }

    public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward)
    {
        using var scope = NewDisposeScope();
        if (IsNarrow(inputs.U))
        {
            var exact = SelectiveScanForward(Exact(inputs), finalState, forBackward);
            return exact with { Y = exact.Y.to(inputs.U.dtype).MoveToOuterDisposeScope(), FinalState = exact.FinalState?.MoveToOuterDisposeScope() };
        }

        var (batch, length, channels, state) = (inputs.Batch, inputs.Length, inputs.Channels, inputs.State);
        var delta = StepSizes(inputs.Delta, inputs.DeltaBias, inputs.DeltaSoftplus);
        var b = PerChannel(inputs.B, inputs);
        var c = PerChannel(inputs.C, inputs);
        var h = inputs.InitialState ?? zeros(batch, channels, state, dtype: inputs.U.dtype, device: inputs.U.device);

        Tensor y;
        if (length == 0)
        {
            y = zeros_like(inputs.U);
        }
        else
        {
            // unbind, not indexing: the backward of L slices would fill L zero tensors of the whole (B, L, D, N).
            var decays = exp(delta.unsqueeze(-1) * inputs.A).unbind(1);                 // L × (B, D, N)
            var pushes = ((delta * inputs.U).unsqueeze(-1) * b).unbind(1);              // L × (B, D, N)
            var outputs = c.unbind(1);                                                  // L × (B, D or 1, N)
            var ys = new Tensor[length];
            for (var t = 0; t < ys.Length; t++)
            {
                using var step = NewDisposeScope();
                h = (decays[t] * h).Plus(pushes[t]).MoveToOuterDisposeScope();
                ys[t] = (h * outputs[t]).sum(-1).MoveToOuterDisposeScope();
            }

            y = stack(ys, 1);                                                           // (B, L, D)
        }

        if (inputs.D is not null)
            y = y.Plus(inputs.U * inputs.D);
        if (inputs.Z is not null)
            y = y * F.silu(inputs.Z);
        var last = finalState ? (ReferenceEquals(h, inputs.InitialState) ? h.alias() : h).MoveToOuterDisposeScope() : null;
        return new ScanOutputs(y.MoveToOuterDisposeScope(), last, null);
    }

    public Tensor SelectiveStateStep(Tensor state, Tensor x, Tensor delta, Tensor a, Tensor b, Tensor c, Tensor? d, Tensor? z, Tensor? deltaBias, bool deltaSoftplus, bool aIsLog)
    {
        using var scope = NewDisposeScope();
        if (IsNarrow(x))
        {
            var exact = SelectiveStateStep(
                state, Exact(x)!, Exact(delta)!, Exact(a)!, Exact(b)!, Exact(c)!, Exact(d), Exact(z), Exact(deltaBias), deltaSoftplus, aIsLog);
            return exact.to(x.dtype).MoveToOuterDisposeScope();
        }

        var step = StepSizes(delta, deltaBias, deltaSoftplus).unsqueeze(-1);            // (B, D, 1)
        var (batch, channels, n) = (state.shape[0], state.shape[1], state.shape[2]);
        var groups = b.shape[1] / n;
        var perGroup = new[] { batch, groups, 1, n };
        var push = (step * x.unsqueeze(-1)).view(batch, groups, channels / groups, 1) * b.reshape(perGroup);
        var rates = aIsLog ? -exp(a) : a;
        state.mul_(exp(step * rates)).PlusInPlace(push.view(batch, channels, n));
        var y = (state.view(batch, groups, channels / groups, n) * c.reshape(perGroup)).sum(-1).view(batch, channels);
        if (d is not null)
            y = y.Plus(x * d);
        if (z is not null)
            y = y * F.silu(z);
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? FinalState) CausalConv1dForward(ConvInputs inputs, bool finalState)
    {
        using var scope = NewDisposeScope();
        if (IsNarrow(inputs.X))
        {
            var exact = new ConvInputs(Exact(inputs.X)!, Exact(inputs.Weight)!, Exact(inputs.Bias), Exact(inputs.Initial), inputs.Silu);
            var (exactY, exactLast) = CausalConv1dForward(exact, finalState);
            return (exactY.to(inputs.X.dtype).MoveToOuterDisposeScope(), exactLast?.to(inputs.X.dtype).MoveToOuterDisposeScope());
        }

        var before = inputs.Initial
            ?? zeros(inputs.Batch, inputs.Width - 1, inputs.Channels, dtype: inputs.X.dtype, device: inputs.X.device);
        var whole = cat([before, inputs.X], 1);                                         // (B, W-1+L, D)
        var y = inputs.Length == 0
            ? zeros_like(inputs.X)
            : F.conv1d(whole.transpose(1, 2), inputs.Weight.unsqueeze(1), inputs.Bias, groups: inputs.Channels).transpose(1, 2);
        if (inputs.Silu)
            y = F.silu(y);
        var last = finalState ? whole.slice(1, inputs.Length, inputs.Length + inputs.Width - 1, 1).contiguous() : null;
        return (y.MoveToOuterDisposeScope(), last?.MoveToOuterDisposeScope());
    }

    public Tensor CausalConv1dStep(Tensor state, Tensor x, Tensor weight, Tensor? bias, bool silu)
    {
        using var scope = NewDisposeScope();
        if (IsNarrow(x))
        {
            var exact = Exact(state)!;
            var exactY = CausalConv1dStep(exact, Exact(x)!, Exact(weight)!, Exact(bias), silu);
            state.copy_(exact);
            return exactY.to(x.dtype).MoveToOuterDisposeScope();
        }

        var window = cat([state, x.unsqueeze(1)], 1);                                   // (B, W, D)
        state.copy_(window.slice(1, 1, window.shape[1], 1));
        var y = (window * weight.t()).sum(1);
        if (bias is not null)
            y = y.Plus(bias);
        if (silu)
            y = F.silu(y);
        return y.MoveToOuterDisposeScope();
    }

    public (Tensor Y, Tensor? Sum) RmsNormForward(Tensor x, Tensor? residual, Tensor weight, double epsilon, bool sum)
    {
        using var scope = NewDisposeScope();
        var s = residual is null ? x.alias() : x.Plus(residual);
        using Scalar added = epsilon, one = 1;
        var exact = IsNarrow(s) ? Exact(s)! : s;
        var y = (exact * rsqrt((exact * exact).mean([-1], keepdim: true).add(added, one)) * weight).to(x.dtype);
        return (y.MoveToOuterDisposeScope(), sum ? s.MoveToOuterDisposeScope() : null);
    }

    public Tensor ReverseSequences(Tensor x, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.shape[0], x.shape[1]);
        var rows = new long[batch * length];
        for (long i = 0, row = 0; i < batch; i++)
        {
            for (long t = 0; t < length; t++, row++)
                rows[row] = i * length + (t < lengths[i] ? lengths[i] - 1 - t : t);
        }

        var order = tensor(rows, device: x.device);
        return x.reshape(batch * length, x.shape[2]).index_select(0, order).view(x.shape).MoveToOuterDisposeScope();
    }

    public Tensor LinearStep(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        return F.linear(x, weight.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
    }

    public void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard)
    {
        foreach (var (weight, gradient, firstMoment, secondMoment, step) in AdamWWeight.Guarded(weights, guard))
            Step(weight, gradient, firstMoment, secondMoment, step);
    }

    public Tensor SumOfSquares(IReadOnlyList<Tensor> values)
    {
        using var scope = NewDisposeScope();
        Tensor Squares(Tensor tensor)
        {
            using var inner = NewDisposeScope();
            var exact = IsNarrow(tensor) ? Exact(tensor)! : tensor;
            return (exact * exact).sum(ScalarType.Float64).MoveToOuterDisposeScope();
        }

        return stack(values.Select(Squares)).sum().MoveToOuterDisposeScope();
    }

    private static void Step(Tensor weight, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step)
    {
        using var scope = NewDisposeScope();
        using Scalar scale = step.GradientScale, shrink = step.Shrink, beta1 = step.Beta1, gain1 = 1 - step.Beta1, beta2 = step.Beta2,
            gain2 = 1 - step.Beta2, rootScale = step.RootScale, epsilon = step.Epsilon, one = 1, stepSize = -step.StepSize;
        var g = gradient * scale;
        firstMoment.mul_(beta1).add_(g, gain1);
        secondMoment.mul_(beta2).addcmul_(g, g, gain2);
        weight.mul_(shrink).addcdiv_(firstMoment, secondMoment.sqrt().mul_(rootScale).add_(epsilon, one), stepSize);
    }

    private static bool IsNarrow(Tensor tensor) => tensor.dtype is ScalarType.BFloat16 or ScalarType.Float16;

    private static Tensor? Exact(Tensor? tensor) => tensor?.to(ScalarType.Float32);

    private static ScanInputs Exact(ScanInputs inputs) => new(
        Exact(inputs.U)!, Exact(inputs.Delta)!, Exact(inputs.A)!, Exact(inputs.B)!, Exact(inputs.C)!, Exact(inputs.D), Exact(inputs.Z), Exact(inputs.DeltaBias),
        Exact(inputs.InitialState), inputs.DeltaSoftplus);

    /// <summary>softplus(x) = ln(1 + e^x), x itself above 20. Not torch's own: TorchSharp makes Scalars for it that nobody holds.</summary>
    private static Tensor Softplus(Tensor x)
    {
        using var scope = NewDisposeScope();
        return where(x.gt(tensor(20.0)), x, -(-x).log_sigmoid()).MoveToOuterDisposeScope();
    }

    private static Tensor StepSizes(Tensor delta, Tensor? bias, bool softplus)
    {
        var biased = bias is null ? delta : delta.Plus(bias);
        return softplus ? Softplus(biased) : biased;
    }

    /// <summary>(B, L, G·N) as (B, L, D or 1, N): one matrix for each channel, or one that all channels share.</summary>
    private static Tensor PerChannel(Tensor matrix, ScanInputs inputs)
    {
        if (inputs.Groups == 1)
            return matrix.unsqueeze(2);
        var grouped = matrix.reshape(inputs.Batch, inputs.Length, inputs.Groups, 1, inputs.State);
        return grouped.expand(-1, -1, -1, inputs.Channels / inputs.Groups, -1).reshape(inputs.Batch, inputs.Length, inputs.Channels, inputs.State);
    }
}
