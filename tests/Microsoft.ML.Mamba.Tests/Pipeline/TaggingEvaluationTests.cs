using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class TaggingEvaluationTests
{
    private static readonly string[] Names = ["-", "a", "b"];

    private readonly MLContext _ml = new();

    // True:  - a a a - b b -     Given: - a a - - b a -
    [Fact]
    public void Positions_and_segments_are_counted_as_by_hand()
    {
        var metrics = Evaluate([1, 2, 2, 2, 1, 3, 3, 1], [1, 2, 2, 1, 1, 3, 2, 1], background: "-");

        Assert.Equal(6.0 / 8, metrics.Accuracy);
        Assert.Equal(((2.0 * 3 / (3 + 4)) + (2.0 * 2 / (3 + 3)) + (2.0 * 1 / (2 + 1))) / 3, metrics.MacroF1, 12);
        Assert.Equal([3, 3, 2], metrics.Classes.Select(c => c.Support));
        Assert.Equal([3, 0, 0, 1, 2, 0, 0, 1, 1], metrics.ConfusionMatrix.SelectMany(row => row));
        // a: 2 of 3 positions in common; b: 1 of 2; the second a is one too many.
        Assert.Equal(2, metrics.SegmentCount);
        Assert.Equal(2.0 * 2 / (3 + 2), metrics.SegmentF1, 12);
        Assert.Equal(1.0 / 2, metrics.SegmentErrorRate);
        Assert.Equal(1 - (1.0 / 3), metrics.EditScore, 12);
        Assert.Null(metrics.EntityF1);
    }

    [Fact]
    public void Without_a_background_all_runs_are_segments()
    {
        var metrics = Evaluate([1, 2, 2, 1], [1, 2, 1, 1]);

        Assert.Equal(3, metrics.SegmentCount);
        Assert.Equal(0, metrics.SegmentErrorRate);
        Assert.Equal(1, metrics.SegmentF1);
    }

    [Fact]
    public void Positions_without_a_true_label_are_left_out()
    {
        var metrics = Evaluate([0, 2, 0, 3], [1, 2, 3, 3]);

        Assert.Equal(2, metrics.PositionCount);
        Assert.Equal(1, metrics.Accuracy);
    }

    // By hand, as seqeval counts with mode='strict' and scheme=IOB2: true (0,2,PER), (3,4,LOC); given (0,2,PER), (3,5,LOC); I-LOC at 5 begins nothing.
    [Fact]
    public void Entities_must_agree_in_start_end_and_type()
    {
        string[] names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];

        var metrics = Evaluate([2, 3, 1, 4, 1, 1, 1], [2, 3, 1, 4, 5, 1, 5], names: names);

        Assert.Equal(0.5, metrics.EntityF1!.Value, 12);
    }

    /// <summary>
    /// The example of seqeval's README: f1_score 0.50, accuracy_score 0.80. True entities are (3,6,MISC) of the first sentence and
    /// (0,2,PER) of the second; given are (2,6,MISC), which begins too early, and (0,2,PER): 1 right of 2 given and of 2 true. Eight
    /// of ten words have the right label.
    /// </summary>
    [Fact]
    public void Entities_of_the_documented_example_of_seqeval_score_as_it_says()
    {
        var metrics = EvaluateNamed(
            ["O O O B-MISC I-MISC I-MISC O", "B-PER I-PER O"],
            ["O O B-MISC I-MISC I-MISC I-MISC O", "B-PER I-PER O"]);

        Assert.Equal(0.50, metrics.EntityF1!.Value, 12);
        Assert.Equal(0.80, metrics.Accuracy, 12);
    }

    /// <summary>
    /// Transitions. The first row is the other example of that README: 1.0 to the lenient rules of conlleval, 0.0 in mode strict with
    /// scheme IOB2, which is what is measured here, since an I that goes on from nothing is no entity.
    /// </summary>
    [Theory]
    [InlineData("B-NP I-NP O", "I-NP I-NP O", 0)]
    [InlineData("B-NP I-NP O", "B-NP I-NP O", 1)]
    [InlineData("B-NP B-NP O", "B-NP I-NP O", 0)] // two entities of a word each, one of two words
    [InlineData("B-NP B-NP O", "B-NP B-NP B-NP", 2 * 2.0 / (2 + 3))] // an entity too many
    [InlineData("B-NP I-VP O", "B-NP O O", 1)] // an I of another type goes on from nothing: (0,1,NP) alone on both sides
    [InlineData("B-NP O I-NP", "B-NP O O", 1)] // and so does an I after O
    [InlineData("B-NP I-NP B-VP", "B-NP I-NP B-NP", 2 * 1.0 / (2 + 2))] // right place, wrong type
    [InlineData("O O B-NP", "O O O", 0)]
    public void Entities_begin_with_B_and_go_on_over_I_of_their_type(string label, string predicted, double f1) =>
        Assert.Equal(f1, EvaluateNamed([label], [predicted]).EntityF1!.Value, 12);

    [Fact]
    public void They_read_as_a_table()
    {
        Assert.Equal(
            """
            1 rows, 4 positions, 2 segments
            accuracy 0.7500, macro F1 0.7778
            segment F1 0.8000, segment error rate 0.5000, edit score 0.6667
            label  precision  recall      F1    support
            -         1.0000  1.0000  1.0000          1
            a         1.0000  0.5000  0.6667          2
            b         0.5000  1.0000  0.6667          1
            """.ReplaceLineEndings(), Evaluate([1, 2, 2, 3], [1, 3, 2, 3], background: "-").ToString());
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        Assert.Contains("there are 1 labels, but the sequence has 2", EstimatorContract.MustFail(() => Evaluate([1], [1, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("'x' is no label", Assert.ThrowsAny<Exception>(() => Evaluate([1], [1], background: "x")).Message, StringComparison.Ordinal);
        Assert.Contains("no position with a label", EstimatorContract.MustFail(() => Evaluate([0], [1])).Message, StringComparison.Ordinal);
    }

    private SequenceTaggingMetrics EvaluateNamed(string[] labels, string[] predicted)
    {
        string[] names = ["O", .. ((string[])["MISC", "PER", "NP", "VP"]).SelectMany(type => (string[])["B-" + type, "I-" + type])];
        return Evaluate([.. labels.Zip(predicted, (label, given) => new Texts { Label = label.Split(' '), PredictedLabel = given.Split(' ') })], names, background: null);
    }

    private SequenceTaggingMetrics Evaluate(uint[] label, uint[] predicted, string? background = null, string[]? names = null)
    {
        names ??= Names;
        return Evaluate([new Texts { Label = Named(label), PredictedLabel = Named(predicted) }], names, background);

        string[] Named(uint[] values) => [.. values.Select(v => v == 0 ? "missing" : names[v - 1])];
    }

    private SequenceTaggingMetrics Evaluate(Texts[] rows, string[] names, string? background)
    {
        // Keys in the order of the names.
        var data = _ml.Data.LoadFromEnumerable(rows);
        var keys = _ml.Data.LoadFromEnumerable(names.Select(name => new Name { Value = name }));
        var mapped = _ml.Transforms.Conversion.MapValueToKey([new InputOutputColumnPair("Label"), new InputOutputColumnPair("PredictedLabel")], keyData: keys).Fit(data).Transform(data);
        return _ml.SequenceTagging().Evaluate(mapped, backgroundLabel: background);
    }

    private sealed class Texts
    {
        public string[] Label { get; set; } = [];

        public string[] PredictedLabel { get; set; } = [];
    }

    private sealed class Name
    {
        public string Value { get; set; } = "";
    }
}
