using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

[Collection(PipelineCollection.Name)]
public sealed class ScoreSchemaTests(PipelineModels models)
{
    [Fact]
    public void Multiclass_delivers_a_key_and_a_vector_of_probabilities_with_names()
    {
        var schema = OutputOf(PipelineTask.Multiclass);

        Assert.Equal("Key<UInt32, 0-2>", $"{schema["PredictedLabel"].Type}");
        Assert.Equal(
            [
                "KeyValues: Vector<String, 3> = tata, gc, ebox",
                "ScoreColumnKind: String = MulticlassClassification",
                "ScoreColumnSetId: Key<UInt32, 0-2147483646> = 1",
                "ScoreValueKind: String = PredictedLabel",
            ],
            SchemaAssert.Annotations(schema["PredictedLabel"]));
        Assert.Equal("Vector<Single, 3>", $"{schema["Score"].Type}");
        Assert.Equal(
            [
                "ScoreColumnKind: String = MulticlassClassification",
                "ScoreColumnSetId: Key<UInt32, 0-2147483646> = 1",
                "ScoreValueKind: String = Score",
                "SlotNames: Vector<String, 3> = tata, gc, ebox",
                "TrainingLabelValues: Vector<String, 3> = tata, gc, ebox",
            ],
            SchemaAssert.Annotations(schema["Score"]));
    }

    [Fact]
    public void Binary_delivers_a_decision_log_odds_and_a_normalized_probability()
    {
        var schema = OutputOf(PipelineTask.Binary);

        Assert.Equal(["PredictedLabel: Boolean", "Score: Single", "Probability: Single"], LastColumns(schema, 3));
        foreach (var name in new[] { "PredictedLabel", "Score" })
        {
            Assert.Equal(
                [
                    "ScoreColumnKind: String = BinaryClassification",
                    "ScoreColumnSetId: Key<UInt32, 0-2147483646> = 1",
                    $"ScoreValueKind: String = {name}",
                ],
                SchemaAssert.Annotations(schema[name]));
        }
        Assert.Equal(
            [
                "IsNormalized: Boolean = True",
                "ScoreColumnKind: String = BinaryClassification",
                "ScoreColumnSetId: Key<UInt32, 0-2147483646> = 1",
                "ScoreValueKind: String = Probability",
            ],
            SchemaAssert.Annotations(schema["Probability"]));
    }

    [Fact]
    public void Regression_delivers_a_score()
    {
        var schema = OutputOf(PipelineTask.Regression);

        Assert.Equal(["Score: Single"], LastColumns(schema, 1));
        Assert.Equal(
            [
                "ScoreColumnKind: String = Regression",
                "ScoreColumnSetId: Key<UInt32, 0-2147483646> = 1",
                "ScoreValueKind: String = Score",
            ],
            SchemaAssert.Annotations(schema["Score"]));
    }

    [Fact]
    public void Scores_of_a_second_model_get_the_next_set_id_and_hide_those_of_the_first()
    {
        var scored = models[PipelineTask.Regression].Transform(models[PipelineTask.Regression].Transform(Data(PipelineTask.Regression)));

        Assert.Contains("ScoreColumnSetId: Key<UInt32, 0-2147483646> = 2", SchemaAssert.Annotations(scored.Schema["Score"]));
        Assert.Equal(2, scored.Schema.Count(c => c.Name == "Score"));
        Assert.Equal([true, false], scored.Schema.Where(c => c.Name == "Score").Select(c => c.IsHidden));
        Assert.All(RowValues.ReadAll(scored), row => Assert.Equal(row.Values[^2], row.Values[^1]));
    }

    [Fact]
    public void Output_columns_go_by_the_names_of_the_options()
    {
        var ml = new MLContext(seed: 1);
        var trainer = PipelineModels.Trainer(ml, PipelineTask.Binary, o =>
        {
            o.ScoreColumnName = "LogOdds";
            ((MambaBinaryTrainer.Options)o).ProbabilityColumnName = "P";
            ((MambaBinaryTrainer.Options)o).PredictedLabelColumnName = "Decision";
        });
        var data = PipelineData.View(ml, PipelineTask.Binary, PipelineData.Rows(30));

        using var model = (IDisposable)trainer.Fit(data);

        Assert.Equal(["Decision: Boolean", "LogOdds: Single", "P: Single"], LastColumns(((ITransformer)model).GetOutputSchema(data.Schema), 3));
    }

    [Fact]
    public void Probabilities_of_a_row_add_up_to_one_and_the_key_is_that_of_the_largest()
    {
        foreach (var row in RowValues.ReadAll(models[PipelineTask.Multiclass].Transform(Data(PipelineTask.Multiclass))))
        {
            var scores = (float[])row.Values[^1]!;
            Assert.InRange(scores.Sum(), 1 - 1e-6f, 1 + 1e-6f);
            Assert.Equal($"{Array.IndexOf(scores, scores.Max()) + 1}", row.Values[^2]);
        }
    }

    [Fact]
    public void Probability_is_the_sigmoid_of_the_score_and_the_decision_its_sign()
    {
        foreach (var row in RowValues.ReadAll(models[PipelineTask.Binary].Transform(Data(PipelineTask.Binary))))
        {
            var score = (float)row.Values[^2]!;
            Assert.Equal(1 / (1 + Math.Exp(-score)), (float)row.Values[^1]!, 1e-6);
            Assert.Equal($"{score > 0}", row.Values[^3]);
        }
    }

    [Fact]
    public void Labels_are_ranked_by_probability()
    {
        var column = OutputOf(PipelineTask.Multiclass)["Score"];

        Assert.Equal([("ebox", 0.5f), ("tata", 0.25f), ("gc", 0.25f)], column.RankLabels([0.25f, 0.25f, 0.5f]));
        Assert.StartsWith("Column 'Score' has type Vector<Single, 3>; got 2 scores.", Assert.Throws<ArgumentException>(() => column.RankLabels([0.5f, 0.5f])).Message, StringComparison.Ordinal);
    }

    private IDataView Data(PipelineTask task) => PipelineData.View(models.Context, task, PipelineData.Rows(40, seed: 2));

    private DataViewSchema OutputOf(PipelineTask task) => models[task].GetOutputSchema(Data(task).Schema);

    private static IEnumerable<string> LastColumns(DataViewSchema schema, int count) => schema.TakeLast(count).Select(c => $"{c.Name}: {c.Type}");
}
