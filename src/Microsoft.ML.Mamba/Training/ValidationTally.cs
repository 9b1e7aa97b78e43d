using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>What one evaluation has seen so far, for metrics that are more than a mean.</summary>
internal abstract class ValidationTally
{
    /// <summary>Takes the scores of a batch.</summary>
    /// <param name="scores">What the model gave its rows.</param>
    /// <param name="batch">The rows with their labels.</param>
    /// <returns>The sums over this batch.</returns>
    internal abstract Measurement Add(float[] scores, PaddedBatch batch);

    /// <summary>The metric of all batches.</summary>
    /// <param name="sum">The sum of what <see cref="Add"/> returned.</param>
    internal abstract double Metric(Measurement sum);
}
