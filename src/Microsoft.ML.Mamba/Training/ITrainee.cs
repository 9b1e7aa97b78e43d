using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>What a training run trains: a network that becomes the model, and its loss. Disposing it frees what only training needs; the network is the run's to free or to hand over.</summary>
internal interface ITrainee : IDisposable
{
    /// <summary>What the fitted model will hold.</summary>
    nn.Module<SequenceInput, Tensor> Network { get; }

    /// <summary>The weights to train, in the order of their names.</summary>
    (string Name, Parameter Tensor)[] Weights { get; }

    /// <summary>What follows are steps.</summary>
    void BeginTraining();

    /// <summary>What follows are measurements; the same rows measure the same each time.</summary>
    void BeginEvaluation();

    /// <summary>The loss of a batch to go down from, a scalar.</summary>
    Tensor Loss(PaddedBatch batch);

    /// <summary>How good the networks are on a batch.</summary>
    Measurement Measure(PaddedBatch batch);

    /// <summary>The validation metric from the sum of measurements.</summary>
    double Metric(Measurement sum);

    /// <summary>What the fitted model answers, once its weights are final and in evaluation.</summary>
    /// <param name="validation">The validation rows, gathered as they are asked for.</param>
    TrainingObjective Conclude(IEnumerable<PaddedBatch> validation);
}

/// <summary>Sums over what was predicted: rows, or positions.</summary>
/// <param name="Loss">Sum of the validation loss.</param>
/// <param name="Metric">Sum of what the metric is made from.</param>
/// <param name="Count">How many.</param>
internal readonly record struct Measurement(double Loss, double Metric, long Count)
{
    public static Measurement operator +(Measurement a, Measurement b) => new(a.Loss + b.Loss, a.Metric + b.Metric, a.Count + b.Count);
}
