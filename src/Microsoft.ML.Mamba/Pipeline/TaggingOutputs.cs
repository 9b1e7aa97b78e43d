using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The columns of a tagger: a key and probabilities per position, or per word.</summary>
/// <param name="predictedLabelName">The column of keys.</param>
/// <param name="scoreName">The column of probabilities.</param>
/// <param name="classes">The labels learnt.</param>
/// <param name="values">What they are called; null: they have no names.</param>
/// <param name="coarse">The labels reported in their place; null: the same.</param>
/// <param name="alignment">What a label belongs to.</param>
/// <param name="transitionPenalty">What a change of label costs; see <see cref="LabelPath"/>.</param>
internal sealed class TaggingOutputs(
    string predictedLabelName, string scoreName, int classes, LabelValues? values, CoarseLabels? coarse, TagAlignment alignment, double transitionPenalty) : ITaskOutputs
{
    public const string ColumnKind = "SequenceTagging";

    public int OutputCount => classes;

    public bool PerPosition => true;

    public TagAlignment Alignment => alignment;

    public bool ByWord => alignment.Unit == MambaTagUnit.Word;

    public CoarseLabels? Coarse => coarse;

    public double TransitionPenalty => transitionPenalty;

    /// <summary>The labels as text; numbers, from 0, where they have no values.</summary>
    public string[] Labels => coarse?.Names ?? values?.Texts() ?? [.. Enumerable.Range(0, classes).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];

    public ScoreSchema Schema { get; } = SchemaOf(
        predictedLabelName, scoreName, coarse?.Names.Length ?? classes, coarse is null ? values : LabelValueType.Texts(coarse.Names), scores => coarse?.Over(scores) ?? scores,
        alignment, transitionPenalty);

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: predicted label column
        // string: score column
        // int: number of classes
        // double: transition penalty
        // the alignment (TagAlignment.Load)
        // bool: whether label values follow
        // if so: the label values (LabelValues.Load)
        // bool: whether coarser labels are reported
        // if so: those (CoarseLabels.Load)
        var predictedLabel = context.LoadNonEmptyString();
        var score = context.LoadNonEmptyString();
        var classes = context.Reader.ReadInt32();
        host.CheckDecode(classes is >= 2 and <= TagColumn.MostClasses, $"The model claims {classes} classes; expected 2 to {TagColumn.MostClasses}.");
        var penalty = context.Reader.ReadDouble();
        host.CheckDecode(penalty >= 0 && double.IsFinite(penalty), $"The model claims a transition penalty of {penalty}; expected a finite number, 0 or more.");
        var alignment = TagAlignment.Load(host, context);
        var values = context.Reader.ReadBoolean() ? LabelValues.Load(context.Reader, classes) : null;
        var coarse = context.Reader.ReadBoolean() ? CoarseLabels.Load(host, context, classes) : null;
        return new TaggingOutputs(predictedLabel, score, classes, values, coarse, alignment, penalty);
    }

    public void Save(ModelSaveContext context)
    {
        // *** Binary format *** as in Load.
        context.SaveNonEmptyString(predictedLabelName);
        context.SaveNonEmptyString(scoreName);
        context.Writer.Write(classes);
        context.Writer.Write(transitionPenalty);
        alignment.Save(context);
        context.Writer.Write(values is not null);
        values?.Save(context.Writer);
        context.Writer.Write(coarse is not null);
        coarse?.Save(context);
    }

    private static ScoreSchema SchemaOf(
        string predictedLabelName, string scoreName, int labels, LabelValues? values, Func<IRowScores, IRowScores> reported, TagAlignment alignment, double transitionPenalty) => new(
        ColumnKind,
        new ScoreColumn(predictedLabelName, new VectorDataViewType(new KeyDataViewType(typeof(uint), labels)), AnnotationUtils.Const.ScoreValueKind.PredictedLabel,
            scores => PredictedLabels(reported(scores), labels, transitionPenalty), LabelAnnotations(values, alignment)),
        new ScoreColumn(scoreName, new VectorDataViewType(NumberDataViewType.Single, 0, labels), AnnotationUtils.Const.ScoreValueKind.Score,
            scores => ScoreColumn.VectorGetter(reported(scores)), ScoreAnnotations(values)));

    private static ScoreAnnotation[] LabelAnnotations(LabelValues? values, TagAlignment alignment)
    {
        ScoreAnnotation aligned = new(TagAlignment.AnnotationKind, TextDataViewType.Instance,
            (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = alignment.Text.AsMemory()));
        return values is null ? [aligned] : [new(AnnotationUtils.Kinds.KeyValues, values.Type, values.Getter), aligned];
    }

    private static ScoreAnnotation[] ScoreAnnotations(LabelValues? values) =>
        values is null ? [] : [new(AnnotationUtils.Kinds.TrainingLabelValues, values.Type, values.Getter)];

    private static Delegate PredictedLabels(IRowScores scores, int classes, double penalty)
    {
        int[] labels = [];
        return (ValueGetter<VBuffer<uint>>)((ref VBuffer<uint> vector) =>
        {
            var values = scores.Current;
            var editor = VBufferEditor.Create(ref vector, values.Length / classes);
            if (labels.Length < editor.Values.Length)
                labels = new int[editor.Values.Length];
            LabelPath.Find(values, labels.AsSpan(0, editor.Values.Length), penalty);
            for (var i = 0; i < editor.Values.Length; i++)
                editor.Values[i] = (uint)labels[i] + 1;
            vector = editor.Commit();
        });
    }
}
