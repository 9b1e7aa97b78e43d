using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>One of K labels per sequence: key labels; probabilities and the key of the largest.</summary>
internal sealed class MulticlassTask(string predictedLabelName, string scoreName) : IPredictionTask
{
    /// <summary>More classes than this cannot be meant, for example keys without a count of their own.</summary>
    private const int MaxClasses = 1 << 20;

    public string AcceptedLabel => "a key. Append Transforms.Conversion.MapValueToKey for the label column before the trainer";

    public bool Accepts(SchemaShape.Column label) => label.Kind == SchemaShape.Column.VectorKind.Scalar && label.IsKey;

    public string? Defect(DataViewSchema.Column label) => ((KeyDataViewType)label.Type).Count switch
    {
        < 2 => "expected at least 2 classes",
        > MaxClasses => $"expected at most {MaxClasses} classes. Map the labels with Transforms.Conversion.MapValueToKey",
        _ => null,
    };

    public LabelGetter GetLabels(DataViewRow row, DataViewSchema.Column label)
    {
        var count = ((KeyDataViewType)label.Type).Count;
        var raw = label.Type.RawType;
        if (raw == typeof(byte)) return Keys(row.GetGetter<byte>(label), key => key, count);
        if (raw == typeof(ushort)) return Keys(row.GetGetter<ushort>(label), key => key, count);
        if (raw == typeof(uint)) return Keys(row.GetGetter<uint>(label), key => key, count);
        return Keys(row.GetGetter<ulong>(label), key => key, count);
    }

    public TrainingObjective CreateObjective(DataViewSchema.Column label) => TrainingObjective.Multiclass(ClassCount(label));

    public ScoreSchema Promise(SchemaShape.Column label)
    {
        const int AnyCount = 2;
        return new Outputs(predictedLabelName, scoreName, AnyCount, LabelValues.Placeholder(label, AnyCount)).Schema;
    }

    public ITaskOutputs CreateOutputs(DataViewSchema.Column label) =>
        new Outputs(predictedLabelName, scoreName, ClassCount(label), LabelValues.Of(label, ClassCount(label)));

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: predicted label column
        // string: score column
        // int: number of classes
        // bool: whether label values follow
        // if so: the label values (LabelValues.Load)
        var predictedLabel = context.LoadNonEmptyString();
        var score = context.LoadNonEmptyString();
        var classes = context.Reader.ReadInt32();
        host.CheckDecode(classes is >= 2 and <= MaxClasses, $"The model claims {classes} classes; expected 2 to {MaxClasses}.");
        var values = context.Reader.ReadBoolean() ? LabelValues.Load(context.Reader, classes) : null;
        return new Outputs(predictedLabel, score, classes, values);
    }

    private static int ClassCount(DataViewSchema.Column label) => (int)((KeyDataViewType)label.Type).Count;

    private static LabelGetter Keys<T>(ValueGetter<T> getter, Func<T, ulong> widen, ulong count)
        where T : struct
    {
        T key = default;
        return (out float target) =>
        {
            getter(ref key);
            var value = widen(key);
            target = value - 1f;
            return value != 0 && value <= count;
        };
    }

    private sealed class Outputs(string predictedLabelName, string scoreName, int classes, LabelValues? values) : ITaskOutputs
    {
        public int OutputCount => classes;

        public ScoreSchema Schema { get; } = new(
            AnnotationUtils.Const.ScoreColumnKind.MulticlassClassification,
            new ScoreColumn(predictedLabelName, new KeyDataViewType(typeof(uint), classes), AnnotationUtils.Const.ScoreValueKind.PredictedLabel,
                PredictedLabel, LabelAnnotations(values)),
            new ScoreColumn(scoreName, new VectorDataViewType(NumberDataViewType.Single, classes), AnnotationUtils.Const.ScoreValueKind.Score,
                ScoreColumn.VectorGetter, ScoreAnnotations(values)));

        public void Save(ModelSaveContext context)
        {
            // *** Binary format *** as in Load.
            context.SaveNonEmptyString(predictedLabelName);
            context.SaveNonEmptyString(scoreName);
            context.Writer.Write(classes);
            context.Writer.Write(values is not null);
            values?.Save(context.Writer);
        }

        private static ScoreAnnotation[] LabelAnnotations(LabelValues? values) => values is null
            ? []
            : [new(AnnotationUtils.Kinds.KeyValues, values.Type, values.Getter)];

        private static ScoreAnnotation[] ScoreAnnotations(LabelValues? values) => values switch
        {
            null => [],
            { AreText: true } =>
            [
                new(AnnotationUtils.Kinds.SlotNames, values.Type, values.Getter),
                new(AnnotationUtils.Kinds.TrainingLabelValues, values.Type, values.Getter),
            ],
            _ => [new(AnnotationUtils.Kinds.TrainingLabelValues, values.Type, values.Getter)],
        };

        private static Delegate PredictedLabel(IRowScores scores) => (ValueGetter<uint>)((ref uint key) =>
        {
            var values = scores.Current;
            var best = 0;
            for (var i = 1; i < values.Length; i++)
                if (values[i] > values[best])
                    best = i;
            key = float.IsNaN(values[best]) ? 0 : (uint)best + 1; // 0 is a missing key
        });
    }
}
