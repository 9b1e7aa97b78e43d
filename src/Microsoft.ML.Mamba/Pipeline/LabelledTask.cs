using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A prediction task and the column that has its labels.</summary>
internal sealed class LabelledTask(IPredictionTask task, string labelColumnName) : ISequenceTask
{
    public ScoreSchema Promise(IExceptionContext context, SchemaShape schema, TrainerSettings settings) =>
        task.Promise(LabelColumn.Find(context, task, schema, labelColumnName));

    public IBoundTask Bind(IExceptionContext context, IDataView data, string sequenceColumnName, Action checkAlive) =>
        new Bound(task, LabelColumn.Find(context, task, data.Schema, labelColumnName));

    private sealed class Bound(IPredictionTask task, DataViewSchema.Column label) : IBoundTask
    {
        public TrainingObjective Objective => task.CreateObjective(label);

        public bool LearnsBeyondEncoder => true;

        public string LabelColumnName => label.Name;

        public ITrainingRows CreateRows(DataViewRow row, DataViewSchema.Column sequence, SequenceEncoding encoding) =>
            new TargetRows(SequenceReader.Create(row, sequence, encoding), task.GetLabels(row, row.Schema[label.Name]));

        public void CheckValidation(IExceptionContext context, DataViewSchema schema)
        {
            var other = LabelColumn.Find(context, task, schema, label.Name);
            if (!other.Type.Equals(label.Type))
                throw context.ExceptParam("schema", $"Label column '{other.Name}' of the validation data has type {other.Type}; expected {label.Type} as in the training data. "
                    + "Map both with the same fitted transformer.");
        }

        public ITaskOutputs CreateOutputs(ModelDescription model) => task.CreateOutputs(label);
    }
}
