using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>How far the backends are from the reference on one case, forward and backward.</summary>
internal sealed class KernelErrors
{
    private readonly Dictionary<(string Backend, string Direction), double> _errors = [];

    public double Of(string backend, string direction) => _errors[(backend, direction)];

    public static KernelErrors AgainstReference(KernelCase op, IEnumerable<string> backends)
    {
        var errors = new KernelErrors();
        using DisposeScope scope = NewDisposeScope();
        (Tensor Y, Tensor[] Gradients) truth = Run(op, "reference");
        foreach (string backend in backends)
        {
            (Tensor Y, Tensor[] Gradients) found = Run(op, backend);
            errors._errors[(backend, "forward")] = Error(found.Y, truth.Y);
            errors._errors[(backend, "backward")] = found.Gradients.Zip(truth.Gradients, Error).Max();
        }

        return errors;
    }

    private static (Tensor, Tensor[]) Run(KernelCase op, string backend)
    {
        using IDisposable forced = KernelBackends.Force(backend);
        Tensor y = op.Forward();
        op.Backward(y);
        return (y.detach().clone(), [.. op.Gradients().Select(g => g.Gradient.clone())]);
    }

    private static double Error(Tensor found, Tensor truth)
    {
        double error = ((found - truth).abs().max() / truth.abs().max()).item<float>();
        return double.IsNaN(error) ? double.PositiveInfinity : error;
    }
}
