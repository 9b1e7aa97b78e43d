using System.Text;
using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class TrainingObjectiveTests
{
    [Fact]
    public void Multiclass_loss_is_weighted_smoothed_cross_entropy()
    {
        float[,] logits = { { 2, -1, 0.5f }, { 0, 0, 3 } };
        float[] targets = [0, 2], weights = [1, 2, 4];
        const double Smoothing = 0.1;
        double sum = 0, total = 0;
        for (var row = 0; row < 2; row++)
        {
            var norm = Math.Log(Enumerable.Range(0, 3).Sum(k => Math.Exp(logits[row, k])));
            var label = (int)targets[row];
            // Smoothing spreads over classes, each with its own weight, as torch defines it.
            sum += (1 - Smoothing) * weights[label] * (norm - logits[row, label]);
            sum += Smoothing / 3 * Enumerable.Range(0, 3).Sum(k => weights[k] * (norm - logits[row, k]));
            total += weights[label];
        }

        using var outputs = tensor(logits);
        using var loss = TrainingObjective.Multiclass(3).Loss(outputs, targets, Smoothing, weights);

        Assert.Equal(sum / total, loss.item<float>(), 5);
    }

    [Fact]
    public void Binary_loss_is_weighted_smoothed_cross_entropy()
    {
        float[] logits = [1.5f, -0.5f, 2], targets = [1, 0, 0], weights = [1, 3];
        const double Smoothing = 0.2;
        double sum = 0, total = 0;
        for (var row = 0; row < 3; row++)
        {
            var wanted = (targets[row] * (1 - Smoothing)) + (Smoothing / 2);
            var p = 1 / (1 + Math.Exp(-logits[row]));
            var weight = weights[(int)targets[row]];
            sum -= weight * ((wanted * Math.Log(p)) + ((1 - wanted) * Math.Log(1 - p)));
            total += weight;
        }

        using var outputs = tensor(logits, [3, 1]);
        using var weighted = TrainingObjective.Binary.Loss(outputs, targets, Smoothing, weights);
        using var even = TrainingObjective.Binary.Loss(outputs, targets, Smoothing, [2, 2]);
        using var plain = TrainingObjective.Binary.Loss(outputs, targets, Smoothing, null);

        Assert.Equal(sum / total, weighted.item<float>(), 5);
        Assert.Equal(plain.item<float>(), even.item<float>(), 5);
    }

    [Fact]
    public void Regression_learns_mean_and_scale_and_scores_in_the_units_of_the_label()
    {
        var set = SetOf(10, 20, 30);
        var objective = Assert.IsType<RegressionObjective>(TrainingObjective.Regression.LearnFrom(set));
        Assert.Equal((20, Math.Sqrt(200.0 / 3)), (objective.LabelMean, objective.LabelScale));

        using var outputs = tensor(new float[] { 0, 0, 1 }, [3, 1]);
        using var loss = objective.Loss(outputs, [10, 20, 30], 0.5, null);
        var d = 10 / objective.LabelScale;
        Assert.Equal(((d * d) + ((1 - d) * (1 - d))) / 3, loss.item<float>(), 5);

        float[] scores = [-1, 0, 1];
        objective.ToScores(scores, 1);
        Assert.Equal([20 - (float)objective.LabelScale, 20, 20 + (float)objective.LabelScale], scores);
        var (validationLoss, squares) = objective.Measure([10, 22, 30], [10, 20, 30]);
        Assert.Equal(4 / objective.LabelScale / objective.LabelScale, validationLoss, 6);
        Assert.Equal(Math.Sqrt(4.0 / 3), objective.Metric(squares, 3), 6);
    }

    [Fact]
    public void Equal_labels_have_a_scale_of_one()
    {
        Assert.Equal(1, ((RegressionObjective)TrainingObjective.Regression.LearnFrom(SetOf(7, 7))).LabelScale);
    }

    [Fact]
    public void Multiclass_scores_are_probabilities_even_of_large_logits()
    {
        float[] scores = [1000, 1000, -1000, 0, 0, 0];

        TrainingObjective.Multiclass(3).ToScores(scores, 3);

        Assert.Equal([0.5f, 0.5f, 0, 1f / 3, 1f / 3, 1f / 3], scores);
    }

    [Fact]
    public void Measures_add_up_over_rows()
    {
        var multiclass = TrainingObjective.Multiclass(2).Measure([0.9f, 0.1f, 0.8f, 0.2f], [0, 1]);
        Assert.Equal(-Math.Log(0.9f) - Math.Log(0.2f), multiclass.Loss, 6);
        Assert.Equal(0.5, TrainingObjective.Multiclass(2).Metric(multiclass.Metric, 2));

        var binary = TrainingObjective.Binary.Measure([2, -500, 3], [1, 0, 0]);
        Assert.Equal(Math.Log(1 + Math.Exp(-2)) + Math.Log(1 + Math.Exp(3)), binary.Loss, 6);
        Assert.Equal(2, binary.Metric);
    }

    [Fact]
    public void Scores_that_are_not_numbers_make_the_loss_none()
    {
        Assert.True(double.IsNaN(TrainingObjective.Multiclass(2).Measure([float.NaN, float.NaN], [0]).Loss));
        Assert.True(double.IsNaN(TrainingObjective.Binary.Measure([float.NaN], [0]).Loss));
        Assert.True(double.IsNaN(TrainingObjective.Regression.Measure([float.NaN], [0]).Loss));
    }

    [Fact]
    public void One_class_alone_is_refused()
    {
        Assert.Equal(
            "All 2 training rows are of one class (index 1 of 3); a classifier needs at least two.",
            Assert.Throws<MambaTrainingException>(() => TrainingObjective.Multiclass(3).LearnFrom(SetOf(1, 1))).Message);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(0.5f)]
    public void A_label_that_is_no_class_is_refused_with_its_row(float label)
    {
        Assert.Equal(
            FormattableString.Invariant($"Row 1: the label is {label}; expected a class index from 0 to 2."),
            Assert.Throws<MambaTrainingException>(() => TrainingObjective.Multiclass(3).LearnFrom(SetOf(1, label))).Message);
    }

    [Fact]
    public void Objectives_read_back_from_json()
    {
        foreach (var objective in new[] { TrainingObjective.Multiclass(4), TrainingObjective.Binary, new RegressionObjective(0.1, 1e-7) })
        {
            Assert.Equal(JsonOf(objective), JsonOf(TrainingObjective.ReadJson(JsonDocument.Parse(JsonOf(objective)).RootElement)));
        }
    }

    private static string JsonOf(TrainingObjective objective)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            objective.WriteJson(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static SequenceSet SetOf(params float[] targets)
    {
        var set = SequenceSet.OfIds();
        foreach (var target in targets)
        {
            set.AddIds([0], target);
        }
        return set;
    }
}
