using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>Any of K tags: one log-odds each; cross-entropy of their sigmoids. Scores are probabilities.</summary>
internal sealed class MultilabelObjective : SupervisedObjective
{
    internal const string ObjectiveName = "multilabel";
    internal const float DefaultThreshold = 0.5f;

    private readonly float[] _thresholds;

    /// <param name="tags">How many tags.</param>
    /// <param name="thresholds">From which score on a sequence has each tag; null: 0.5.</param>
    internal MultilabelObjective(int tags, float[]? thresholds = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tags, 1);
        Outputs = tags;
        _thresholds = thresholds ?? [.. Enumerable.Repeat(DefaultThreshold, tags)];
    }

    internal override string Name => ObjectiveName;

    internal override int Outputs { get; }

    // So that there are as many class weights. All targets are 0: what a row has stands in its labels.
    internal override int Classes => Outputs;

    internal override bool HigherMetricIsBetter => true;

    /// <summary>From which score on a sequence has each tag.</summary>
    internal ReadOnlySpan<float> Thresholds => _thresholds;

    internal override string MetricName(SequenceKind kind) => "mean average precision";

    internal override TrainingObjective LearnFrom(SequenceSet train)
    {
        for (var row = 0; row < train.Count; row++)
        {
            if (train.GetLabels(row)!.AsSpan().ContainsAnyExcept(train.GetLabels(0)![0]))
            {
                return this;
            }
        }
        throw new MambaTrainingException(FormattableString.Invariant(
            $"All {train.Count:N0} training rows have {(train.GetLabels(0)![0] == 0 ? "no tag" : "all tags")}; there is nothing to learn from them."));
    }

    /// <summary>How much a row that has a tag weighs, rows without it weighing 1: as many as there are of the others.</summary>
    internal override float[] BalancedWeights(SequenceSet train)
    {
        var counts = new long[Outputs];
        for (var row = 0; row < train.Count; row++)
        {
            var labels = train.GetLabels(row)!;
            for (var tag = 0; tag < Outputs; tag++)
            {
                counts[tag] += labels[tag];
            }
        }
        return Array.ConvertAll(counts, c => c == 0 || c == train.Count ? 1f : (float)((double)(train.Count - c) / c));
    }

    internal override Tensor Loss(Tensor outputs, PaddedBatch batch, double labelSmoothing, float[]? classWeights)
    {
        using var scope = NewDisposeScope();
        var targets = new float[batch.Rows * Outputs];
        var weights = new float[targets.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            var has = batch.Labels[i / Outputs]![i % Outputs];
            targets[i] = (float)((has * (1 - labelSmoothing)) + (labelSmoothing / 2));
            weights[i] = has == 1 && classWeights is not null ? classWeights[i % Outputs] : 1;
        }
        // Divided by the sum of the weights, as the other losses are.
        var total = weights.Sum(w => (double)w);
        return nn.functional.binary_cross_entropy_with_logits(
            outputs,
            tensor(targets, outputs.shape, device: outputs.device),
            tensor(Array.ConvertAll(weights, w => (float)(w / total)), outputs.shape, device: outputs.device),
            nn.Reduction.Sum).MoveToOuterDisposeScope();
    }

    internal override void ToScores(Span<float> outputs, int count)
    {
        foreach (ref var value in outputs)
        {
            value = (float)(1 / (1 + Math.Exp(-(double)value)));
        }
    }

    internal override ValidationTally NewTally() => new Tally(Outputs);

    /// <summary>With the thresholds that are best by F1 on the validation rows.</summary>
    internal override TrainingObjective Conclude(IEnumerable<(float[] Scores, PaddedBatch Batch)> validation)
    {
        var tally = new Tally(Outputs);
        foreach (var (scores, batch) in validation)
        {
            tally.Add(scores, batch);
        }
        return tally.Rows == 0 ? this : new MultilabelObjective(Outputs, tally.BestThresholds());
    }

    internal override void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteNumber("tags", Outputs);
        json.WriteStartArray("thresholds");
        foreach (var threshold in _thresholds)
        {
            json.WriteNumberValue(threshold);
        }
        json.WriteEndArray();
    }

    internal static MultilabelObjective Read(JsonElement json)
    {
        var tags = json.GetProperty("tags").GetInt32();
        var thresholds = json.GetProperty("thresholds").EnumerateArray().Select(t => t.GetSingle()).ToArray();
        return tags >= 1 && thresholds.Length == tags && Array.TrueForAll(thresholds, t => t is >= 0 and <= 1)
            ? new MultilabelObjective(tags, thresholds)
            : throw new FormatException($"objective.tags is {tags} and there are {thresholds.Length} thresholds; expected at least 1, and as many thresholds from 0 to 1.");
    }

    private sealed class Tally(int tags) : ValidationTally
    {
        private readonly List<float>[] _scores = [.. Enumerable.Range(0, tags).Select(_ => new List<float>())];
        private readonly List<bool>[] _has = [.. Enumerable.Range(0, tags).Select(_ => new List<bool>())];

        internal int Rows => _scores[0].Count;

        internal override Measurement Add(float[] scores, PaddedBatch batch)
        {
            double loss = 0;
            for (var i = 0; i < scores.Length; i++)
            {
                var (row, tag) = (i / tags, i % tags);
                var has = batch.Labels[row]![tag] == 1;
                _scores[tag].Add(scores[i]);
                _has[tag].Add(has);
                // The smallest float that exp can give stands for a probability that was rounded to 0.
                loss -= Math.Log(Math.Max(has ? scores[i] : 1 - (double)scores[i], float.Epsilon));
                loss += float.IsNaN(scores[i]) ? double.NaN : 0;
            }
            return new Measurement(loss / tags, 0, batch.Rows);
        }

        /// <summary>The mean over the tags that a row has; 0 where no row has any.</summary>
        internal override double Metric(Measurement sum) => Enumerable.Range(0, tags)
            .Select(tag => TagRanking.AveragePrecision([.. _scores[tag]], [.. _has[tag]]))
            .Where(double.IsFinite).DefaultIfEmpty(0).Average();

        internal float[] BestThresholds() =>
            [.. Enumerable.Range(0, tags).Select(tag => TagRanking.BestThreshold([.. _scores[tag]], [.. _has[tag]]))];
    }
}
