using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// What a model is asked for: which network answers, what its numbers become as scores, and how it is learnt. Immutable.
/// </summary>
internal abstract class TrainingObjective
{
    /// <summary>The name in config.json.</summary>
    internal abstract string Name { get; }

    /// <summary>Numbers that the network's head puts out for each sequence; 0 when it has no head and puts out hidden states.</summary>
    internal abstract int Outputs { get; }

    /// <summary>Classes that a label may have, as 0 to this number less one; 0 for numbers and where there are no labels.</summary>
    internal abstract int Classes { get; }

    /// <summary>What the validation metric is.</summary>
    /// <param name="kind">What the model reads.</param>
    internal abstract string MetricName(SequenceKind kind);

    internal abstract bool HigherMetricIsBetter { get; }

    /// <summary>What the labels of positions become when their sequence is read from the other strand; other labels stay as they are.</summary>
    internal virtual int[] OnOtherStrand(int[] labels) => labels;

    /// <summary>The mean of what the two strands of each sequence were given, position by position.</summary>
    /// <param name="both">The vectors of all positions of the sequences, then those of their reverse complements.</param>
    /// <param name="lengths">Positions of each sequence.</param>
    internal virtual float[] AverageStrands(float[] both, int[] lengths) =>
        throw new NotSupportedException($"The objective '{Name}' does not average strands.");

    /// <summary>A weight for each class that makes all of them count the same.</summary>
    internal virtual float[] BalancedWeights(SequenceSet train)
    {
        var counts = new long[Classes];
        for (var row = 0; row < train.Count; row++)
        {
            counts[(int)train.GetTarget(row)]++;
        }
        return EvenWeights(counts);
    }

    /// <summary>Whether sequences above the longest length are cut; where not, training reads them in windows of it and scoring reads them whole.</summary>
    internal virtual bool CutsSequences => true;

    /// <summary>Whether the model answers for each position of a sequence.</summary>
    internal virtual bool PerPosition => false;

    /// <summary>One of so many classes; the target is the class index from 0; scores are probabilities.</summary>
    internal static TargetObjective Multiclass(int classes) => new MulticlassObjective(classes);

    /// <summary>Yes or no; the target is 1 or 0; the score is the log-odds of yes.</summary>
    internal static TargetObjective Binary { get; } = new BinaryObjective();

    /// <summary>A number; the score is in its units. The labels' mean and scale are taken from the training rows.</summary>
    internal static TargetObjective Regression { get; } = new RegressionObjective(0, 1);

    /// <summary>The network of a model.</summary>
    /// <param name="model">What the model is.</param>
    /// <param name="dropout">What is dropped while training.</param>
    /// <param name="init">Its first weights.</param>
    internal abstract nn.Module<SequenceInput, Tensor> BuildNetwork(ModelDescription model, DropoutSource dropout, Initialisation init);

    /// <summary>What a plan trains.</summary>
    /// <exception cref="MambaTrainingException">The rows leave nothing to learn.</exception>
    internal abstract ITrainee CreateTrainee(TrainingPlan plan);

    /// <summary>Checks the targets of the training rows and takes from them what the objective needs to know.</summary>
    /// <exception cref="MambaTrainingException">The targets leave nothing to learn.</exception>
    internal abstract TrainingObjective LearnFrom(SequenceSet train);

    /// <summary>Turns raw outputs into scores, in place.</summary>
    /// <param name="outputs">Vectors of the model's output count, one after the other.</param>
    /// <param name="count">The output count.</param>
    internal abstract void ToScores(Span<float> outputs, int count);

    /// <summary>What is wrong with a description that has this objective, or null.</summary>
    internal virtual string? Defect(ModelDescription model) => null;

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
            case EmbeddingObjective.ObjectiveName:
                return EmbeddingObjective.Read(json);
            case MultilabelObjective.ObjectiveName:
                return MultilabelObjective.Read(json);
            case TaggingObjective.ObjectiveName:
                return TaggingObjective.Read(json);
            default:
                throw new FormatException($"objective.name is '{name}'; known are multiclass, binary, regression, embedding, multilabel and tagging.");
        }
    }

    /// <summary>The weights with which classes of these sizes weigh the same; 1 for absent ones.</summary>
    private protected static float[] EvenWeights(long[] counts)
    {
        var total = counts.Sum();
        var present = counts.Count(c => c > 0);
        return Array.ConvertAll(counts, c => c == 0 ? 1f : (float)((double)total / (present * c)));
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
}
