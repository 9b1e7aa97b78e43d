using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>One of K classes at each position: softmax and cross-entropy over the positions that have a label.</summary>
/// <param name="classes">How many classes.</param>
/// <param name="window">Positions up to which a bidirectional model scores a sequence whole.</param>
/// <param name="opposite">The class that each class is on the other strand of DNA; null: the same.</param>
/// <param name="byMacroF1">Whether the validation metric is the macro F1 instead of the accuracy.</param>
internal sealed class TaggingObjective(int classes, int window, int[]? opposite = null, bool byMacroF1 = false) : SupervisedObjective
{
    internal const string ObjectiveName = "tagging";

    internal override string Name => ObjectiveName;

    internal override int Outputs => classes;

    internal override int Classes => classes;

    internal override bool PerPosition => true;

    internal override bool CutsSequences => false;

    internal override bool HigherMetricIsBetter => true;

    internal override string MetricName(SequenceKind kind) => byMacroF1 ? "macro F1" : "accuracy";

    internal override nn.Module<SequenceInput, Tensor> BuildNetwork(ModelDescription model, DropoutSource dropout, Initialisation init) =>
        new MambaForSequenceTagging(model.Config, classes, window, dropout, init, opposite);

    internal override TrainingObjective LearnFrom(SequenceSet train)
    {
        var counts = Counts(train);
        return counts.Count(c => c > 0) > 1 ? this : throw new MambaTrainingException(FormattableString.Invariant(
            $"All {counts.Sum():N0} labelled positions of the training rows are of one class (index {Array.FindIndex(counts, c => c > 0)} of {classes}); a tagger needs at least two."));
    }

    internal override float[] BalancedWeights(SequenceSet train) => EvenWeights(Counts(train));

    internal override int[] OnOtherStrand(int[] labels) => PositionLabels.OnOtherStrand(labels, opposite);

    internal override float[] AverageStrands(float[] both, int[] lengths)
    {
        var average = new float[both.Length / 2];
        for (int row = 0, start = 0; row < lengths.Length; start += lengths[row++])
        {
            for (var i = 0; i < lengths[row] * classes; i++)
            {
                var (position, label) = (i / classes, i % classes);
                var mirrored = average.Length + ((start + lengths[row] - 1 - position) * classes) + (opposite?[label] ?? label);
                average[(start * classes) + i] = (both[(start * classes) + i] + both[mirrored]) / 2;
            }
        }
        return average;
    }

    internal override Tensor Loss(Tensor outputs, PaddedBatch batch, double labelSmoothing, float[]? classWeights)
    {
        using var scope = NewDisposeScope();
        var (places, labels) = Asked(batch);
        var rows = outputs.view(-1, classes);                                                    // (B·L, K)
        if (labels.Count == 0)
        {
            return (rows * zeros_like(rows)).sum().MoveToOuterDisposeScope();
        }
        var asked = labels.Count == rows.shape[0] ? rows : rows.index_select(0, tensor(places.ToArray(), device: outputs.device));
        var weights = classWeights is null ? null : tensor(classWeights, device: outputs.device);
        return nn.functional.cross_entropy(asked, tensor(labels.ToArray(), device: outputs.device), weights, label_smoothing: labelSmoothing)
            .MoveToOuterDisposeScope();
    }

    internal override void ToScores(Span<float> outputs, int count)
    {
        for (var start = 0; start < outputs.Length; start += classes)
        {
            MulticlassObjective.Softmax(outputs.Slice(start, classes));
        }
    }

    internal override ValidationTally NewTally() => new Tally(classes, byMacroF1);

    internal override string? Defect(ModelDescription model) => window < OverlappingWindows.Shortest
        ? $"The window of scoring is {window} positions; expected at least {OverlappingWindows.Shortest}."
        : null;

    internal override void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteNumber("classes", classes);
        json.WriteNumber("window", window);
        if (opposite is not null)
        {
            json.WriteStartArray("opposite");
            foreach (var label in opposite)
            {
                json.WriteNumberValue(label);
            }
            json.WriteEndArray();
        }
    }

    internal static TaggingObjective Read(JsonElement json)
    {
        var classes = json.GetProperty("classes").GetInt32();
        int[]? opposite = json.TryGetProperty("opposite", out var array) ? [.. array.EnumerateArray().Select(label => label.GetInt32())] : null;
        if (classes < 1)
        {
            throw new FormatException($"objective.classes is {classes}; expected at least 1.");
        }
        if (opposite is not null && !IsExchange(opposite, classes))
        {
            throw new FormatException($"objective.opposite is [{string.Join(", ", opposite)}]; expected a class below {classes} for each, whose own is that one.");
        }
        return new TaggingObjective(classes, json.GetProperty("window").GetInt32(), opposite);
    }

    private static bool IsExchange(int[] opposite, int classes) => opposite.Length == classes
        && Array.TrueForAll(opposite, label => label >= 0 && label < classes)
        && Enumerable.Range(0, classes).All(label => opposite[opposite[label]] == label);

    private static (List<long> Places, List<long> Labels) Asked(PaddedBatch batch)
    {
        List<long> places = [], labels = [];
        for (var row = 0; row < batch.Rows; row++)
        {
            var own = batch.Labels[row]!;
            for (var t = 0; t < own.Length; t++)
            {
                if (own[t] >= 0)
                {
                    places.Add(((long)row * batch.Length) + t);
                    labels.Add(own[t]);
                }
            }
        }
        return (places, labels);
    }

    private long[] Counts(SequenceSet set)
    {
        var counts = new long[classes];
        for (var row = 0; row < set.Count; row++)
        {
            foreach (var label in set.GetLabels(row)!)
            {
                if (label >= 0)
                {
                    counts[label]++;
                }
            }
        }
        return counts;
    }

    private sealed class Tally(int classes, bool byMacroF1) : ValidationTally
    {
        private readonly ConfusionCounts _counts = new(classes);

        internal override Measurement Add(float[] scores, PaddedBatch batch)
        {
            double loss = 0;
            var at = 0;
            foreach (var label in batch.Labels.SelectMany(labels => labels!).Where(label => label >= 0))
            {
                var probabilities = scores.AsSpan(at++ * classes, classes);
                // The smallest float that exp can give stands for a probability that was rounded to 0.
                loss -= Math.Log(Math.Max(probabilities[label], float.Epsilon));
                loss += float.IsNaN(probabilities[label]) ? double.NaN : 0;
                _counts.Add(label, MulticlassObjective.IndexOfLargest(probabilities));
            }
            return new Measurement(loss, 0, at);
        }

        internal override double Metric(Measurement sum) => byMacroF1 ? _counts.MacroF1 : _counts.Accuracy;
    }
}
