using Microsoft.ML.Mamba.Data;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// One step of training: forward, loss, backward, clipping, update. Nothing is updated from numbers that are not finite. A GPU is
/// not waited for: it looks at the numbers itself, so that the next step can be queued while it computes this one.
/// </summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly ITrainee _trainee;
    private readonly AdamWOptimizer _optimizer;
    private readonly Parameter[] _weights;

    /// <param name="trainee">What to train.</param>
    /// <param name="options">The optimizer's settings.</param>
    /// <param name="encoderRateScale">The encoder's learning rate as a share of the others'.</param>
    /// <param name="decays">Which weights decay, by name; null = <see cref="ParameterGroups.Decays"/>.</param>
    internal TrainingStep(ITrainee trainee, MambaTrainingOptions options, double encoderRateScale = 1, Func<string, bool>? decays = null)
    {
        _trainee = trainee;
        _weights = [.. trainee.Weights.Select(w => w.Tensor)];
        _optimizer = new AdamWOptimizer(trainee.Weights, options, decays ?? ParameterGroups.Decays, encoderRateScale);
    }

    internal Parameter[] Weights => _weights;

    /// <summary>Takes the step.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="learningRate">This step's rate.</param>
    /// <param name="beforeUpdate">Called with the loss when loss and gradients are finite, before the weights change: for this a GPU is waited for. Null for nothing.</param>
    internal StepOutcome Take(PaddedBatch batch, double learningRate, Action<double>? beforeUpdate = null)
    {
        using var scope = NewDisposeScope();
        var loss = _trainee.Loss(batch);

        // Fresh gradients instead of zeroed ones: backward then stores where it would add.
        foreach (var weight in _weights)
        {
            weight.grad = null;
        }
        loss.backward();
        var squares = _optimizer.SumOfSquares();
        var outcome = new StepOutcome(loss, squares);
        if (beforeUpdate is not null && outcome.Read() is { IsFinite: true } numbers)
        {
            beforeUpdate(numbers.Loss);
        }
        _optimizer.Step(learningRate, loss, squares);
        return outcome;
    }

    /// <summary>Frees the optimizer's state and the gradients; the network stays.</summary>
    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (var weight in _weights)
        {
            weight.grad = null;
        }
    }
}
