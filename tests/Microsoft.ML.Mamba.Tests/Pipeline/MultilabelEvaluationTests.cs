using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>
/// The expected numbers come from scikit-learn 1.2.1 on the same arrays: average_precision_score and roc_auc_score per column, f1_score
/// (average micro, macro, zero_division=0), label_ranking_average_precision_score, accuracy_score, hamming_loss.
/// </summary>
public sealed class MultilabelEvaluationTests
{
    private static readonly int[][] Truth = [[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1], [1, 1, 0, 1], [0, 0, 0, 1]];

    private static readonly float[][] Scores =
    [
        [.9f, .2f, .1f, .8f], [.4f, .6f, .3f, .4f], [.6f, .6f, .2f, .1f], [.6f, .1f, .05f, .7f],
        [.3f, .5f, .4f, .7f], [.2f, .9f, .1f, .2f], [.8f, .4f, .45f, .9f], [.1f, .3f, .2f, .4f],
    ];

    private static readonly float[] Thresholds = [.5f, .5f, .4f, .4f];

    private readonly MLContext _ml = new();

    [Fact]
    public void Metrics_are_those_of_scikit_learn()
    {
        var metrics = Evaluate();

        Close([0.8541666666666666, 0.95, double.NaN, 0.8261904761904761], metrics.Tags.Select(t => t.AveragePrecision));
        Close([0.84375, 0.9375, double.NaN, 0.7333333333333334], metrics.Tags.Select(t => t.AreaUnderRocCurve));
        Close([0.75, 0.75, 0, 0.7272727272727272], metrics.Tags.Select(t => t.F1));
        Close([0.75, 0.75, 0, 0.6666666666666666], metrics.Tags.Select(t => t.Precision));
        Close([0.75, 0.75, 0, 0.8], metrics.Tags.Select(t => t.Recall));
        Assert.Equal([4, 4, 0, 5], metrics.Tags.Select(t => t.Support));
        Close(
            [0.8767857142857144, 0.9375, 0.6896551724137931, 0.5568181818181818, 0.375, 0.28125],
            [metrics.MeanAveragePrecision, metrics.LabelRankingAveragePrecision, metrics.MicroF1, metrics.MacroF1, metrics.ExactMatch, metrics.HammingLoss]);
    }

    [Fact]
    public void They_read_as_a_table()
    {
        Assert.Equal(
            """
            8 rows, 4 tags
            mean average precision 0.8768, label-ranking average precision 0.9375
            micro F1 0.6897, macro F1 0.5568, exact match 0.3750, Hamming loss 0.2812
            tag  precision  recall      F1  avg.prec.     AUC  support
            0       0.7500  0.7500  0.7500     0.8542  0.8438        4
            1       0.7500  0.7500  0.7500     0.9500  0.9375        4
            2       0.0000  0.0000  0.0000        NaN     NaN        0
            3       0.6667  0.8000  0.7273     0.8262  0.7333        5
            """.ReplaceLineEndings(), Evaluate().ToString());
    }

    [Fact]
    public void Columns_that_do_not_fit_are_named()
    {
        var data = _ml.Data.LoadFromEnumerable(Rows());
        var catalog = _ml.MultilabelClassification();

        Assert.Contains("Could not find scored column 'Absent'", EstimatorContract.MustFail(() => catalog.Evaluate(data, scoreColumnName: "Absent")).Message, StringComparison.Ordinal);
        Assert.Contains("expected a vector of", EstimatorContract.MustFail(() => catalog.Evaluate(data, predictedLabelsColumnName: "Score")).Message, StringComparison.Ordinal);
        Assert.Contains("no row with a label", EstimatorContract.MustFail(() => catalog.Evaluate(_ml.Data.SkipRows(data, 100))).Message, StringComparison.Ordinal);
    }

    private MultilabelClassificationMetrics Evaluate() => _ml.MultilabelClassification().Evaluate(_ml.Data.LoadFromEnumerable(Rows()));

    private static IEnumerable<Row> Rows() => Truth.Zip(Scores, (truth, scores) => new Row
    {
        Label = [.. truth.Select(t => t == 1)],
        Score = scores,
        PredictedLabels = [.. scores.Zip(Thresholds, (s, t) => s >= t)],
    });

    private static void Close(IEnumerable<double> expected, IEnumerable<double> actual) =>
        Assert.Equal(expected, actual, (a, b) => (double.IsNaN(a) && double.IsNaN(b)) || Math.Abs(a - b) <= 1e-12);

    private sealed class Row
    {
        [VectorType(4)]
        public bool[] Label { get; set; } = [];

        [VectorType(4)]
        public float[] Score { get; set; } = [];

        [VectorType(4)]
        public bool[] PredictedLabels { get; set; } = [];
    }
}
