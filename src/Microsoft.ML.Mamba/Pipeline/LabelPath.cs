using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// The labels of all positions together: those with the largest sum of log-probabilities, less a penalty for each change of label
/// (Viterbi 1967). With a penalty of 0 the most probable label of each position.
/// </summary>
internal static class LabelPath
{
    /// <param name="probabilities">(positions, classes), row by row.</param>
    /// <param name="labels">One index per position; overwritten.</param>
    /// <param name="penalty">What a change costs, in nats; not negative.</param>
    public static void Find(ReadOnlySpan<float> probabilities, Span<int> labels, double penalty)
    {
        if (labels.Length == 0)
            return;
        var classes = probabilities.Length / labels.Length;
        if (penalty == 0)
        {
            for (var t = 0; t < labels.Length; t++)
                labels[t] = MulticlassObjective.IndexOfLargest(probabilities.Slice(t * classes, classes));
            return;
        }

        // Best sum of a path that ends in each label; labels[t] holds the best label of t - 1 until the way back.
        var sums = new double[classes];
        var changed = new bool[probabilities.Length];
        for (var t = 0; t < labels.Length; t++)
        {
            var best = IndexOfLargest(sums);
            var throughChange = sums[best] - penalty;
            labels[t] = best;
            for (var label = 0; label < classes; label++)
            {
                // At the beginning all sums are 0: nothing is gained by a change.
                changed[(t * classes) + label] = throughChange > sums[label];
                sums[label] = Math.Max(throughChange, sums[label]) + LogOf(probabilities[(t * classes) + label]);
            }
        }

        var current = IndexOfLargest(sums);
        for (var t = labels.Length - 1; t >= 0; t--)
        {
            var before = changed[(t * classes) + current] ? labels[t] : current;
            labels[t] = current;
            current = before;
        }
    }

    // The smallest float that exp can give stands for a probability that was rounded to 0.
    private static double LogOf(float probability) => Math.Log(Math.Max(probability, float.Epsilon));

    private static int IndexOfLargest(double[] values)
    {
        var index = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[index])
                index = i;
        }
        return index;
    }
}
