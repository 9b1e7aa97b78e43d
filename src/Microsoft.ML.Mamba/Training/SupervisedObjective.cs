using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>An answer that labels teach: a head's numbers for each sequence, and the loss that compares them with the labels.</summary>
internal abstract class SupervisedObjective : TrainingObjective
{
    internal sealed override nn.Module<SequenceInput, Tensor> BuildNetwork(ModelDescription model, DropoutSource dropout, Initialisation init) =>
        new MambaForSequenceClassification(model.Config, model.Pooling, Outputs, dropout, init);

    internal sealed override ITrainee CreateTrainee(TrainingPlan plan) => new SupervisedTrainee(plan, this);

    /// <summary>The mean loss of a batch, weighted by class where there are weights.</summary>
    /// <param name="outputs">(rows, Outputs), raw.</param>
    /// <param name="targets">One per row.</param>
    /// <param name="labelSmoothing">Ignored by regression.</param>
    /// <param name="classWeights">One per class, or null; ignored by regression.</param>
    internal abstract Tensor Loss(Tensor outputs, float[] targets, double labelSmoothing, float[]? classWeights);

    /// <summary>The sum over rows of the validation loss and of what <see cref="Metric"/> needs.</summary>
    /// <param name="scores">Rows × Outputs.</param>
    /// <param name="targets">One per row.</param>
    internal abstract (double Loss, double Metric) Measure(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets);

    /// <summary>The metric of all rows from the sums of <see cref="Measure"/>.</summary>
    internal abstract double Metric(double sum, long rows);

    private protected void CheckTwoClasses(SequenceSet set)
    {
        CheckTargets(set);
        var first = set.GetTarget(0);
        for (var row = 1; row < set.Count; row++)
        {
            if (set.GetTarget(row) != first)
            {
                return;
            }
        }
        throw new MambaTrainingException(
            FormattableString.Invariant($"All {set.Count:N0} training rows are of one class (index {first} of {Classes}); a classifier needs at least two."));
    }
}
