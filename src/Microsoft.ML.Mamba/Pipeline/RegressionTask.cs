using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A number per sequence: Single labels and scores.</summary>
internal sealed class RegressionTask(string scoreName) : IPredictionTask
{
    public string AcceptedLabel => "Single. Append Transforms.Conversion.ConvertType for the label column before the trainer";

    public bool Accepts(SchemaShape.Column label) =>
        label.Kind == SchemaShape.Column.VectorKind.Scalar && !label.IsKey && label.ItemType == NumberDataViewType.Single;

    public string? Defect(DataViewSchema.Column label) => null;

    public LabelGetter GetLabels(DataViewRow row, DataViewSchema.Column label)
    {
        var getter = row.GetGetter<float>(label);
        return (out float target) =>
        {
            target = 0;
            getter(ref target);
            return !float.IsNaN(target);
        };
    }

    public TrainingObjective CreateObjective(DataViewSchema.Column label) => TrainingObjective.Regression;

    public ScoreSchema Promise(SchemaShape.Column label) => new Outputs(scoreName).Schema;

    public ITaskOutputs CreateOutputs(DataViewSchema.Column label) => new Outputs(scoreName);

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: score column
        return new Outputs(context.LoadNonEmptyString());
    }

    private sealed class Outputs(string scoreName) : ITaskOutputs
    {
        public int OutputCount => 1;

        public ScoreSchema Schema { get; } = new(
            AnnotationUtils.Const.ScoreColumnKind.Regression,
            new ScoreColumn(scoreName, NumberDataViewType.Single, AnnotationUtils.Const.ScoreValueKind.Score,
                scores => (ValueGetter<float>)((ref float value) => value = scores.Current[0])));

        public void Save(ModelSaveContext context)
        {
            // *** Binary format *** as in Load.
            context.SaveNonEmptyString(scoreName);
        }
    }
}
