using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>One step of training: forward, loss, backward, clipping, update. Nothing is updated from numbers that are not finite.</summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly MambaForSequenceClassification _network;
    private readonly TrainingPlan _plan;
    private readonly AdamWOptimizer _optimizer;
    private readonly Parameter[] _weights;

    /// <param name="network">The network to train.</param>
    /// <param name="plan">Objective and settings.</param>
    /// <param name="decays">Which weights decay, by name; null = <see cref="ParameterGroups.Decays"/>.</param>
    internal TrainingStep(MambaForSequenceClassification network, TrainingPlan plan, Func<string, bool>? decays = null)
    {
        _network = network;
        _plan = plan;
        var weights = NetworkWeights.Of(network);
        _weights = [.. weights.Select(w => w.Tensor)];
        _optimizer = new AdamWOptimizer(weights, plan.Options, decays ?? ParameterGroups.Decays);
    }

    internal Parameter[] Weights => _weights;

    /// <summary>Takes the step.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="learningRate">This step's rate.</param>
    /// <param name="beforeUpdate">Called with the loss when loss and gradients are finite, before the weights change.</param>
    /// <returns>The loss, and the length of the gradient before clipping (NaN when the loss was not finite).</returns>
    internal (double Loss, double GradientNorm) Take(PaddedBatch batch, double learningRate, Action<double> beforeUpdate)
    {
        using var scope = NewDisposeScope();
        using var input = SequencePredictor.InputOf(batch);
        var options = _plan.Options;
        var outputs = _network.call(input);
        var loss = _plan.Objective.Loss(outputs, batch.Targets, options.LabelSmoothing, _plan.ClassWeights);
        double value = loss.item<float>();
        if (!double.IsFinite(value))
        {
            return (value, double.NaN);
        }

        // Fresh gradients instead of zeroed ones: backward then stores where it would add.
        foreach (var weight in _weights)
        {
            weight.grad = null;
        }
        loss.backward();
        var norm = _optimizer.GradientNorm();
        if (double.IsFinite(norm))
        {
            beforeUpdate(value);
            _optimizer.Step(learningRate, norm);
        }
        return (value, norm);
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
