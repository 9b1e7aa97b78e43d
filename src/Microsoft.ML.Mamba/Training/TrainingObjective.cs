using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// What a model is asked for: how many numbers the network puts out, which loss compares them with the labels, what they
/// become as scores, and how good the scores are. Immutable.
/// </summary>
internal abstract class TrainingObjective
{
    /// <summary>The name in config.json.</summary>
    internal abstract string Name { get; }

    /// <summary>Numbers that the network puts out for each sequence.</summary>
    internal abstract int Outputs { get; }

    /// <summary>Classes that a label may have, as 0 to this number less one; 0 for numbers.</summary>
    internal abstract int Classes { get; }

    internal abstract string MetricName { get; }

    internal abstract bool HigherMetricIsBetter { get; }

    /// <summary>One of so many classes; the target is the class index from 0; scores are probabilities.</summary>
    internal static TrainingObjective Multiclass(int classes) => new MulticlassObjective(classes);

    /// <summary>Yes or no; the target is 1 or 0; the score is the log-odds of yes.</summary>
    internal static TrainingObjective Binary { get; } = new BinaryObjective();

    /// <summary>A number; the score is in its units. The labels' mean and scale are taken from the training rows.</summary>
    internal static TrainingObjective Regression { get; } = new RegressionObjective(0, 1);

    /// <summary>Checks the targets of the training rows and takes from them what the objective needs to know.</summary>
    /// <exception cref="MambaTrainingException">The targets leave nothing to learn.</exception>
    internal abstract TrainingObjective LearnFrom(SequenceSet train);

    /// <summary>The mean loss of a batch, weighted by class where there are weights.</summary>
    /// <param name="outputs">(rows, Outputs), raw.</param>
    /// <param name="targets">One per row.</param>
    /// <param name="labelSmoothing">Ignored by regression.</param>
    /// <param name="classWeights">One per class, or null; ignored by regression.</param>
    internal abstract Tensor Loss(Tensor outputs, float[] targets, double labelSmoothing, float[]? classWeights);

    /// <summary>Turns raw outputs into scores, in place, rows × Outputs.</summary>
    internal abstract void ToScores(Span<float> outputs);

    /// <summary>The sum over rows of the validation loss and of what <see cref="Metric"/> needs.</summary>
    /// <param name="scores">Rows × Outputs.</param>
    /// <param name="targets">One per row.</param>
    internal abstract (double Loss, double Metric) Measure(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets);

    /// <summary>The metric of all rows from the sums of <see cref="Measure"/>.</summary>
    internal abstract double Metric(double sum, long rows);

    internal abstract void WriteJson(Utf8JsonWriter json);

    /// <summary>Reads what <see cref="WriteJson"/> wrote.</summary>
    /// <exception cref="FormatException">No such objective, or a number out of range.</exception>
    internal static TrainingObjective ReadJson(JsonElement json)
    {
        var name = json.GetProperty("name").GetString();
        switch (name)
        {
            case MulticlassObjective.ObjectiveName:
                var classes = json.GetProperty("classes").GetInt32();
                return classes >= 1 ? Multiclass(classes) : throw new FormatException($"objective.classes is {classes}; expected at least 1.");
            case BinaryObjective.ObjectiveName:
                return Binary;
            case RegressionObjective.ObjectiveName:
                var (mean, scale) = (json.GetProperty("labelMean").GetDouble(), json.GetProperty("labelScale").GetDouble());
                return scale > 0 && double.IsFinite(scale) && double.IsFinite(mean)
                    ? new RegressionObjective(mean, scale)
                    : throw new FormatException($"objective.labelMean, labelScale are {mean}, {scale}; expected finite numbers, the scale above 0.");
            default:
                throw new FormatException($"objective.name is '{name}'; known are multiclass, binary and regression.");
        }
    }

    /// <summary>Checks that targets are class indices; numbers were checked when they came in.</summary>
    /// <exception cref="MambaTrainingException">A target is none; the message names the row.</exception>
    internal void CheckTargets(SequenceSet set)
    {
        for (var row = 0; Classes > 0 && row < set.Count; row++)
        {
            var target = set.GetTarget(row);
            if (!(target >= 0 && target < Classes && target == MathF.Floor(target)))
            {
                throw new MambaTrainingException(
                    FormattableString.Invariant($"Row {row}: the label is {target}; expected a class index from 0 to {Classes - 1}."));
            }
        }
    }

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
