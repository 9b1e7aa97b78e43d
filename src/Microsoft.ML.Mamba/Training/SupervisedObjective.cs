using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>An answer that labels teach: a head's numbers for each sequence, or each position, and the loss that compares them with the labels.</summary>
internal abstract class SupervisedObjective : TrainingObjective
{
    internal override nn.Module<SequenceInput, Tensor> BuildNetwork(ModelDescription model, DropoutSource dropout, Initialisation init) =>
        new MambaForSequenceClassification(model.Config, model.Pooling, Outputs, dropout, init);

    internal sealed override ITrainee CreateTrainee(TrainingPlan plan) => new SupervisedTrainee(plan, this);

    /// <summary>The mean loss of a batch, weighted by class where there are weights.</summary>
    /// <param name="outputs">(rows, Outputs), or (rows, length, Outputs); raw.</param>
    /// <param name="batch">The rows with their labels.</param>
    /// <param name="labelSmoothing">Ignored where labels are no classes.</param>
    /// <param name="classWeights">One per class, or null; ignored where labels are no classes.</param>
    internal abstract Tensor Loss(Tensor outputs, PaddedBatch batch, double labelSmoothing, float[]? classWeights);

    /// <summary>Begins an evaluation.</summary>
    internal abstract ValidationTally NewTally();

    /// <summary>The objective of the fitted model, with what only the scores of validation rows can tell.</summary>
    /// <param name="validation">Scores of the fitted network and the rows that they are of; computed as they are asked for. Empty without validation rows.</param>
    internal virtual TrainingObjective Conclude(IEnumerable<(float[] Scores, PaddedBatch Batch)> validation) => this;
}
