using Microsoft.ML.Mamba.Data;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>An answer that one number per sequence teaches: its class, 1 or 0, or a value.</summary>
internal abstract class TargetObjective : SupervisedObjective
{
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

    internal sealed override Tensor Loss(Tensor outputs, PaddedBatch batch, double labelSmoothing, float[]? classWeights) =>
        Loss(outputs, batch.Targets, labelSmoothing, classWeights);

    internal sealed override ValidationTally NewTally() => new Tally(this);

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

    private sealed class Tally(TargetObjective objective) : ValidationTally
    {
        internal override Measurement Add(float[] scores, PaddedBatch batch)
        {
            var (loss, metric) = objective.Measure(scores, batch.Targets);
            return new Measurement(loss, metric, batch.Rows);
        }

        internal override double Metric(Measurement sum) => objective.Metric(sum.Metric, sum.Count);
    }
}
