using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Yes or no per sequence: Boolean labels; log-odds, probability and decision.</summary>
internal sealed class BinaryTask(string predictedLabelName, string scoreName, string probabilityName) : IPredictionTask
{
    public string AcceptedLabel => "Boolean. Convert the label column before the trainer, for example with Transforms.Conversion.MapValue "
        + "or ConvertType, or use MulticlassClassification.Trainers.Mamba with a key";

    public bool Accepts(SchemaShape.Column label) =>
        label.Kind == SchemaShape.Column.VectorKind.Scalar && !label.IsKey && label.ItemType is BooleanDataViewType;

    public string? Defect(DataViewSchema.Column label) => null;

    public LabelGetter GetLabels(DataViewRow row, DataViewSchema.Column label)
    {
        var getter = row.GetGetter<bool>(label);
        var value = false;
        return (out float target) =>
        {
            getter(ref value);
            target = value ? 1f : 0f;
            return true;
        };
    }

    public TrainingObjective CreateObjective(DataViewSchema.Column label) => TrainingObjective.Binary;

    public ScoreSchema Promise(SchemaShape.Column label) => new Outputs(predictedLabelName, scoreName, probabilityName).Schema;

    public ITaskOutputs CreateOutputs(DataViewSchema.Column label) => new Outputs(predictedLabelName, scoreName, probabilityName);

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: predicted label column
        // string: score column
        // string: probability column
        var predictedLabel = context.LoadNonEmptyString();
        var score = context.LoadNonEmptyString();
        return new Outputs(predictedLabel, score, context.LoadNonEmptyString());
    }

    private sealed class Outputs(string predictedLabelName, string scoreName, string probabilityName) : ITaskOutputs
    {
        public int OutputCount => 1;

        public ScoreSchema Schema { get; } = new(
            AnnotationUtils.Const.ScoreColumnKind.BinaryClassification,
            new ScoreColumn(predictedLabelName, BooleanDataViewType.Instance, AnnotationUtils.Const.ScoreValueKind.PredictedLabel,
                scores => (ValueGetter<bool>)((ref bool value) => value = scores.Current[0] > 0)),
            new ScoreColumn(scoreName, NumberDataViewType.Single, AnnotationUtils.Const.ScoreValueKind.Score,
                scores => (ValueGetter<float>)((ref float value) => value = scores.Current[0])),
            new ScoreColumn(probabilityName, NumberDataViewType.Single, AnnotationUtils.Const.ScoreValueKind.Probability,
                scores => (ValueGetter<float>)((ref float value) => value = Sigmoid(scores.Current[0])),
                new ScoreAnnotation(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, (ValueGetter<bool>)((ref bool value) => value = true))));

        public void Save(ModelSaveContext context)
        {
            // *** Binary format *** as in Load.
            context.SaveNonEmptyString(predictedLabelName);
            context.SaveNonEmptyString(scoreName);
            context.SaveNonEmptyString(probabilityName);
        }

        private static float Sigmoid(float logOdds) => (float)(1 / (1 + Math.Exp(-(double)logOdds)));
    }
}
