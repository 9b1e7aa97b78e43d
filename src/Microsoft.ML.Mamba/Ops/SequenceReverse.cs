using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Reverses each sequence of a right-padded batch within its own length; padding stays where it is. Applied twice it changes
/// nothing, and its gradient is itself.
/// </summary>
public static class SequenceReverse
{
    /// <summary>Reverses.</summary>
    /// <param name="x">(B, L, D).</param>
    /// <param name="lengths">B lengths, each from 0 to L.</param>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    public static Tensor Apply(Tensor x, int[] lengths)
    {
        const string Op = nameof(SequenceReverse);
        ArgumentNullException.ThrowIfNull(lengths);
        ShapeCheck.Rank(Op, nameof(x), x, "(B, L, D)", 3);
        if (lengths.Length != x.shape[0])
            throw new ArgumentException($"{Op}: there are {lengths.Length} lengths; expected B = {x.shape[0]} from x.", nameof(lengths));
        foreach (var length in lengths)
        {
            if (length < 0 || length > x.shape[1])
                throw new ArgumentException($"{Op}: a length is {length}; expected 0 to L = {x.shape[1]} from x.", nameof(lengths));
        }

        var backend = KernelBackends.Choose(Op, x);
        return backend is IBackwardKernels && AutogradNeed.Any(x)
            ? Function.Apply(backend, x, lengths)
            : backend.ReverseSequences(x, lengths);
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        private const string CallKey = "call";

        public override string Name => nameof(SequenceReverse);

        public static Tensor Apply(IKernelBackend backend, Tensor x, int[] lengths)
        {
            var call = new Call(backend, lengths);
            var result = apply(call, x);
            call.ForwardTensors.Release();
            return result;
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var call = (Call)vars[0];
            var y = call.Backend.ReverseSequences((Tensor)vars[1], call.Lengths);
            ctx.save_data(CallKey, call);
            call.ForwardTensors.Keep(y);
            return y;
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            ReturnedGradients.Release();
            var call = (Call)ctx.get_data(CallKey);
            using var dy = grad_output;
            return ReturnedGradients.Hold(null, call.Backend.ReverseSequences(dy, call.Lengths));
        }

        private sealed record Call(IKernelBackend Backend, int[] Lengths)
        {
            public ForwardTensors ForwardTensors { get; } = new();
        }
    }
}
