using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Any of K tags per sequence: probabilities, and which tags reach their thresholds.</summary>
internal sealed class MultilabelTask(string labelColumnName, string predictedLabelsName, string scoreName, char separator) : ISequenceTask
{
    public const string ColumnKind = "MultilabelClassification";

    public ScoreSchema Promise(IExceptionContext context, SchemaShape schema, TrainerSettings settings)
    {
        var label = TagLabels.Find(context, schema, labelColumnName);
        var named = label.ItemType is TextDataViewType || (label.Annotations.TryFindColumn(AnnotationUtils.Kinds.SlotNames, out var names)
            && names is { Kind: SchemaShape.Column.VectorKind.Vector, ItemType: TextDataViewType });
        const int AnyCount = 2;
        return new Outputs(predictedLabelsName, scoreName, new float[AnyCount], named ? LabelValueType.Texts(new string[AnyCount]) : null).Schema;
    }

    public IBoundTask Bind(IExceptionContext context, IDataView data, string sequenceColumnName, Action checkAlive)
    {
        var label = TagLabels.Find(context, data.Schema, labelColumnName);
        var names = TagLabels.Names(label, data, separator, checkAlive);
        if (names is { Length: 0 })
            throw TagLabels.NoTags(context, labelColumnName, separator);
        return new Bound(this, label, names);
    }

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: predicted labels column
        // string: score column
        // int: number of tags
        // float per tag: its threshold
        // bool: whether names follow
        // if so: the names (LabelValues.Load)
        var predictedLabels = context.LoadNonEmptyString();
        var score = context.LoadNonEmptyString();
        var tags = context.Reader.ReadInt32();
        host.CheckDecode(tags is >= 1 and <= TagLabels.MostTags, $"The model claims {tags} tags; expected 1 to {TagLabels.MostTags}.");
        var thresholds = new float[tags];
        for (var i = 0; i < tags; i++)
            thresholds[i] = context.Reader.ReadSingle();
        host.CheckDecode(Array.TrueForAll(thresholds, t => t is >= 0 and <= 1), "A threshold of the model lies outside 0 to 1.");
        var names = context.Reader.ReadBoolean() ? LabelValues.Load(context.Reader, tags) : null;
        host.CheckDecode(names is null or { AreText: true }, "The names of the model's tags are no text.");
        return new Outputs(predictedLabels, score, thresholds, names);
    }

    private sealed class Bound(MultilabelTask task, DataViewSchema.Column label, string[]? names) : IBoundTask
    {
        private readonly IReadOnlyDictionary<string, int> _slots = TagLabels.SlotsOf(names ?? []);

        public TrainingObjective Objective => new MultilabelObjective(Tags);

        public bool LearnsBeyondEncoder => true;

        public string LabelColumnName => label.Name;

        private int Tags => label.Type is VectorDataViewType vector ? vector.Size : names!.Length;

        private char Separator => task.Separator;

        public ITrainingRows CreateRows(DataViewRow row, DataViewSchema.Column sequence, SequenceEncoding encoding) =>
            new Rows(SequenceReader.Create(row, sequence, encoding), TagLabels.GetTags(row, row.Schema[label.Name], _slots, Separator), Tags);

        public void CheckValidation(IExceptionContext context, DataViewSchema schema)
        {
            var other = TagLabels.Find(context, schema, label.Name);
            if (!other.Type.Equals(label.Type))
                throw context.ExceptParam("schema", $"Label column '{other.Name}' of the validation data has type {other.Type}; expected {label.Type} as in the training data. "
                    + "Map both with the same fitted transformer.");
        }

        public ITaskOutputs CreateOutputs(ModelDescription model) => new Outputs(task.PredictedLabelsName, task.ScoreName,
            ((MultilabelObjective)model.Objective).Thresholds.ToArray(), names is null ? null : LabelValueType.Texts(names));
    }

    private char Separator => separator;

    private string PredictedLabelsName => predictedLabelsName;

    private string ScoreName => scoreName;

    private sealed class Rows(SequenceReader sequence, TagsGetter tags, int count) : ITrainingRows
    {
        public bool Add(SequenceSet set, TruncationPolicy truncation, long row)
        {
            var has = new int[count];
            if (!tags(has))
                return false;
            sequence.AppendTo(set, truncation, 0f, row);
            set.LabelLast(has);
            return true;
        }
    }

    private sealed class Outputs(string predictedLabelsName, string scoreName, float[] thresholds, LabelValues? names) : ITaskOutputs
    {
        public int OutputCount => thresholds.Length;

        public ScoreSchema Schema { get; } = new(
            ColumnKind,
            new ScoreColumn(predictedLabelsName, new VectorDataViewType(BooleanDataViewType.Instance, thresholds.Length), AnnotationUtils.Const.ScoreValueKind.PredictedLabel,
                scores => Predicted(scores, thresholds), NameAnnotations(names)),
            new ScoreColumn(scoreName, new VectorDataViewType(NumberDataViewType.Single, thresholds.Length), AnnotationUtils.Const.ScoreValueKind.Score,
                ScoreColumn.VectorGetter, NameAnnotations(names)));

        public void Save(ModelSaveContext context)
        {
            // *** Binary format *** as in Load.
            context.SaveNonEmptyString(predictedLabelsName);
            context.SaveNonEmptyString(scoreName);
            context.Writer.Write(thresholds.Length);
            foreach (var threshold in thresholds)
                context.Writer.Write(threshold);
            context.Writer.Write(names is not null);
            names?.Save(context.Writer);
        }

        private static ScoreAnnotation[] NameAnnotations(LabelValues? names) =>
            names is null ? [] : [new(AnnotationUtils.Kinds.SlotNames, names.Type, names.Getter)];

        private static Delegate Predicted(IRowScores scores, float[] thresholds) => (ValueGetter<VBuffer<bool>>)((ref VBuffer<bool> vector) =>
        {
            var values = scores.Current;
            var editor = VBufferEditor.Create(ref vector, thresholds.Length);
            for (var i = 0; i < thresholds.Length; i++)
                editor.Values[i] = values[i] >= thresholds[i];
            vector = editor.Commit();
        });
    }
}
