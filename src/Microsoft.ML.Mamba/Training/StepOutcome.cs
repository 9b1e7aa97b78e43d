using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>What a step of training came to, once the device has computed it.</summary>
internal sealed class StepOutcome : IDisposable
{
    private readonly PendingNumbers _numbers;

    /// <param name="loss">A scalar.</param>
    /// <param name="sumOfSquares">Of all gradients, before clipping.</param>
    internal StepOutcome(Tensor loss, Tensor sumOfSquares)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _numbers = new PendingNumbers(stack([loss.to(ScalarType.Float64), sumOfSquares]));
    }

    /// <summary>The numbers; waits for the device to have them.</summary>
    internal StepNumbers Read()
    {
        var numbers = _numbers.Read();
        return new StepNumbers(numbers[0], Math.Sqrt(numbers[1]));
    }

    public void Dispose() => _numbers.Dispose();
}

/// <param name="Loss">The loss of the batch.</param>
/// <param name="GradientNorm">The length of the gradient before clipping.</param>
internal readonly record struct StepNumbers(double Loss, double GradientNorm)
{
    /// <summary>Whether the weights were updated.</summary>
    internal bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);
}
