using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// A number: mean squared error of the standardised label, (label - mean) / scale, so that the network's output starts near
/// the answer whatever the label's units are.
/// </summary>
internal sealed class RegressionObjective(double labelMean, double labelScale) : TargetObjective
{
    internal const string ObjectiveName = "regression";

    internal override string Name => ObjectiveName;

    internal override int Outputs => 1;

    internal override int Classes => 0;

    internal override string MetricName(SequenceKind kind) => "RMSE";

    internal override bool HigherMetricIsBetter => false;

    /// <summary>The mean label of the training rows.</summary>
    internal double LabelMean => labelMean;

    /// <summary>The standard deviation of the labels of the training rows; 1 when all are equal.</summary>
    internal double LabelScale => labelScale;

    internal override TrainingObjective LearnFrom(SequenceSet train)
    {
        double sum = 0, squares = 0;
        for (var row = 0; row < train.Count; row++)
        {
            sum += train.GetTarget(row);
        }
        var mean = sum / train.Count;
        for (var row = 0; row < train.Count; row++)
        {
            var difference = train.GetTarget(row) - mean;
            squares += difference * difference;
        }
        var scale = Math.Sqrt(squares / train.Count);
        return new RegressionObjective(mean, scale > 0 ? scale : 1);
    }

    internal override Tensor Loss(Tensor outputs, float[] targets, double labelSmoothing, float[]? classWeights)
    {
        using var standardised = tensor(Array.ConvertAll(targets, t => (float)((t - labelMean) / labelScale))).MovedTo(outputs.device);
        using var values = outputs.squeeze(-1);
        return nn.functional.mse_loss(values, standardised);
    }

    internal override void ToScores(Span<float> outputs, int count)
    {
        foreach (ref var value in outputs)
        {
            value = (float)((value * labelScale) + labelMean);
        }
    }

    internal override (double Loss, double Metric) Measure(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets)
    {
        double squares = 0;
        for (var row = 0; row < targets.Length; row++)
        {
            var difference = (double)scores[row] - targets[row];
            squares += difference * difference;
        }
        return (squares / (labelScale * labelScale), squares);
    }

    internal override double Metric(double sum, long rows) => Math.Sqrt(sum / rows);

    internal override void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        json.WriteNumber("labelMean", labelMean);
        json.WriteNumber("labelScale", labelScale);
    }
}
