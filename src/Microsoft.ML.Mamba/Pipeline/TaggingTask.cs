using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>One of K labels per position or word.</summary>
internal sealed class TaggingTask(TaggingSettings settings) : ISequenceTask
{
    public ScoreSchema Promise(IExceptionContext context, SchemaShape schema, TrainerSettings trainer)
    {
        const int AnyCount = 2;
        var label = TagColumn.Find(context, schema, settings.LabelColumnName, settings.Unit);
        if (settings.Unit == MambaTagUnit.Word)
            CheckText(context, SequenceColumn.Classify(context, schema, trainer.SequenceColumnName, trainer.SequenceColumnOption));
        var names = label.IsKey && !settings.ReportsCoarseLabels ? LabelValues.Placeholder(label, AnyCount) : LabelValueType.Texts(new string[AnyCount]);
        return new TaggingOutputs(settings.PredictedLabelName, settings.ScoreName, AnyCount, names, null, TagAlignment.ByPosition, settings.TransitionPenalty).Schema;
    }

    public IBoundTask Bind(IExceptionContext context, IDataView data, string sequenceColumnName, Action checkAlive)
    {
        var label = TagColumn.Find(context, data.Schema, settings.LabelColumnName, settings.Unit);
        var sequence = data.Schema[sequenceColumnName];
        if (settings.Unit == MambaTagUnit.Word)
            CheckText(context, sequence.Type is TextDataViewType ? SequenceColumnKind.Text : SequenceColumnKind.Keys);
        var alignment = settings.AlignmentFor(context, sequence);
        if (TagColumn.KeyOf(label) is { } key)
        {
            var classes = (int)key.Count;
            var values = LabelValues.Of(label, classes);
            string[] texts = values is { AreText: true } ? values.Texts() : [];
            return new Bound(settings, label, alignment, classes, values, texts, settings.CoarseLabelsFor(context, texts));
        }
        var names = TagColumn.Names(context, data, label, alignment, checkAlive);
        return new Bound(settings, label, alignment, names.Length, LabelValueType.Texts(names), names, settings.CoarseLabelsFor(context, names));
    }

    private void CheckText(IExceptionContext context, SequenceColumnKind kind)
    {
        if (kind != SequenceColumnKind.Text)
            throw context.ExceptParam("schema", "Unit is Word, but the sequence column is not text; expected text, whose words stand between white space.");
    }

    private sealed class Bound(
        TaggingSettings settings, DataViewSchema.Column label, TagAlignment alignment, int classes, LabelValues? values, string[] names, CoarseLabels? coarse) : IBoundTask
    {
        private readonly IReadOnlyDictionary<string, int> _classOfName = TagLabels.SlotsOf(names);

        public TrainingObjective Objective => new TaggingObjective(classes, settings.Window, settings.Opposite(_classOfName, classes), settings.ByMacroF1);

        public bool LearnsBeyondEncoder => true;

        public string LabelColumnName => label.Name;

        public ITrainingRows CreateRows(DataViewRow row, DataViewSchema.Column sequence, SequenceEncoding encoding) => new TagRows(
            alignment.Unit == MambaTagUnit.Word ? SequenceReader.OfWords(row, sequence, encoding) : SequenceReader.Create(row, sequence, encoding),
            TagReader.Create(row, row.Schema[label.Name], alignment, _classOfName),
            encoding.IsFrames ? Data.SequenceSet.OfFrames(encoding.FrameWidth) : Data.SequenceSet.OfIds());

        public void CheckValidation(IExceptionContext context, DataViewSchema schema)
        {
            var other = TagColumn.Find(context, schema, label.Name, alignment.Unit);
            if (!Equals(TagColumn.KeyOf(other), TagColumn.KeyOf(label)))
                throw context.ExceptParam("schema", $"Label column '{other.Name}' of the validation data has type {other.Type}; expected {label.Type} as in the training data. "
                    + "Map both with the same fitted transformer.");
        }

        public ITaskOutputs CreateOutputs(ModelDescription model) => new TaggingOutputs(settings.PredictedLabelName, settings.ScoreName, classes, values, coarse, alignment, settings.TransitionPenalty);
    }
}
