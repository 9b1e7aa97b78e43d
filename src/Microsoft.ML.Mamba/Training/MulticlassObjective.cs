using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>One of K classes: softmax and cross-entropy.</summary>
internal sealed class MulticlassObjective : TargetObjective
{
    internal const string ObjectiveName = "multiclass";

    internal MulticlassObjective(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        Classes = classes;
    }

    internal override string Name => ObjectiveName;

    internal override int Outputs => Classes;

    internal override int Classes { get; }

    internal override string MetricName(SequenceKind kind) => "accuracy";

    internal override bool HigherMetricIsBetter => true;

    internal override TrainingObjective LearnFrom(SequenceSet train)
    {
        CheckTwoClasses(train);
        return this;
    }

    internal override Tensor Loss(Tensor outputs, float[] targets, double labelSmoothing, float[]? classWeights)
    {
        using var labels = tensor(Array.ConvertAll(targets, t => (long)t)).MovedTo(outputs.device);
        using var weights = classWeights is null ? null : tensor(classWeights).MovedTo(outputs.device);
        return nn.functional.cross_entropy(outputs, labels, weights, label_smoothing: labelSmoothing);
    }

    internal override void ToScores(Span<float> outputs, int count)
    {
        for (var start = 0; start < outputs.Length; start += Classes)
        {
            Softmax(outputs.Slice(start, Classes));
        }
    }

    internal override (double Loss, double Metric) Measure(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets)
    {
        double loss = 0, correct = 0;
        for (var row = 0; row < targets.Length; row++)
        {
            var probabilities = scores.Slice(row * Classes, Classes);
            var label = (int)targets[row];
            // The smallest float that exp can give stands for a probability that was rounded to 0.
            loss -= Math.Log(Math.Max(probabilities[label], float.Epsilon));
            loss += float.IsNaN(probabilities[label]) ? double.NaN : 0;
            correct += IndexOfLargest(probabilities) == label ? 1 : 0;
        }
        return (loss, correct);
    }

    internal override double Metric(double sum, long rows) => sum / rows;

    internal override void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteNumber("classes", Classes);
    }

    // In double, so that the probabilities of a row add up to 1 as closely as floats can.
    internal static void Softmax(Span<float> row)
    {
        var largest = float.NegativeInfinity;
        foreach (var value in row)
        {
            largest = MathF.Max(largest, value);
        }
        double sum = 0;
        foreach (var value in row)
        {
            sum += Math.Exp((double)value - largest);
        }
        foreach (ref var value in row)
        {
            value = (float)(Math.Exp((double)value - largest) / sum);
        }
    }

    internal static int IndexOfLargest(ReadOnlySpan<float> values)
    {
        var index = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[index])
            {
                index = i;
            }
        }
        return index;
    }
}
