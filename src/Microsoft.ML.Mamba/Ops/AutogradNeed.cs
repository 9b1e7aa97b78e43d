using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Whether a call must be recorded for a backward pass. Outside of gradient mode ops bypass autograd altogether.</summary>
internal static class AutogradNeed
{
    public static bool Any(params ReadOnlySpan<Tensor?> operands)
    {
        if (!is_grad_enabled())
            return false;
        foreach (var operand in operands)
        {
            if (operand is not null && operand.requires_grad)
                return true;
        }

        return false;
    }
}
