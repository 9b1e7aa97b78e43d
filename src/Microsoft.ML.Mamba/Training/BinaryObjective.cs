using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>Yes or no: one output, the log-odds of yes; cross-entropy of its sigmoid.</summary>
internal sealed class BinaryObjective : TargetObjective
{
    internal const string ObjectiveName = "binary";

    internal override string Name => ObjectiveName;

    internal override int Outputs => 1;

    internal override int Classes => 2;

    internal override string MetricName(SequenceKind kind) => "accuracy";

    internal override bool HigherMetricIsBetter => true;

    internal override TrainingObjective LearnFrom(SequenceSet train)
    {
        CheckTwoClasses(train);
        return this;
    }

    internal override Tensor Loss(Tensor outputs, float[] targets, double labelSmoothing, float[]? classWeights)
    {
        using var scope = NewDisposeScope();
        var smoothed = tensor(Array.ConvertAll(targets, t => (float)((t * (1 - labelSmoothing)) + (labelSmoothing / 2)))).MovedTo(outputs.device);
        var logits = outputs.squeeze(-1);
        if (classWeights is null)
        {
            return nn.functional.binary_cross_entropy_with_logits(logits, smoothed).MoveToOuterDisposeScope();
        }
        // Divided by the sum of the weights, as the multiclass loss is.
        var total = targets.Sum(t => classWeights[(int)t]);
        var weights = tensor(Array.ConvertAll(targets, t => classWeights[(int)t] / total)).MovedTo(outputs.device);
        return nn.functional.binary_cross_entropy_with_logits(logits, smoothed, weights, nn.Reduction.Sum).MoveToOuterDisposeScope();
    }

    internal override void ToScores(Span<float> outputs, int count)
    {
    }

    internal override (double Loss, double Metric) Measure(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets)
    {
        double loss = 0, correct = 0;
        for (var row = 0; row < targets.Length; row++)
        {
            // ln(1 + exp(-m)) for the margin m, without overflow.
            var margin = targets[row] > 0 ? scores[row] : -(double)scores[row];
            loss += Math.Max(-margin, 0) + Math.Log(1 + Math.Exp(-Math.Abs(margin)));
            correct += scores[row] > 0 == targets[row] > 0 ? 1 : 0;
        }
        return (loss, correct);
    }

    internal override double Metric(double sum, long rows) => sum / rows;

    internal override void WriteJson(Utf8JsonWriter json) => json.WriteString("name", Name);
}
