using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A vector per sequence, or one per position: no labels, one column.</summary>
internal sealed class EmbeddingTask(string outputColumnName, EmbeddingObjective objective) : ISequenceTask, IBoundTask
{
    public TrainingObjective Objective => objective;

    public bool LearnsBeyondEncoder => false;

    public string? LabelColumnName => null;

    public ScoreSchema Promise(IExceptionContext context, SchemaShape schema, TrainerSettings settings)
    {
        var dModel = settings.Model.DModel;
        return new Outputs(outputColumnName, objective.PerPosition ? dModel : SequencePooling.FeaturesOf(settings.Pooling, dModel), objective.PerPosition).Schema;
    }

    public IBoundTask Bind(IExceptionContext context, IDataView data, string sequenceColumnName, Action checkAlive) => this;

    public ITrainingRows CreateRows(DataViewRow row, DataViewSchema.Column sequence, SequenceEncoding encoding) =>
        new TargetRows(SequenceReader.Create(row, sequence, encoding), (out float target) =>
        {
            target = 0;
            return true;
        });

    public void CheckValidation(IExceptionContext context, DataViewSchema schema)
    {
    }

    public ITaskOutputs CreateOutputs(ModelDescription model) => new Outputs(outputColumnName, model.OutputCount, objective.PerPosition);

    public static ITaskOutputs Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // string: output column
        // int: width of a vector
        // bool: whether there is one per position
        var name = context.LoadNonEmptyString();
        var width = context.Reader.ReadInt32();
        host.CheckDecode(width >= 1, $"The model claims embeddings of width {width}; expected at least 1.");
        return new Outputs(name, width, context.Reader.ReadBoolean());
    }

    private sealed class Outputs(string outputColumnName, int width, bool perPosition) : ITaskOutputs
    {
        public int OutputCount => width;

        public bool PerPosition => perPosition;

        public ScoreSchema Schema { get; } = new(
            columnKind: null,
            new ScoreColumn(outputColumnName, perPosition ? new VectorDataViewType(NumberDataViewType.Single, 0, width) : new VectorDataViewType(NumberDataViewType.Single, width),
                valueKind: null, ScoreColumn.VectorGetter));

        public void Save(ModelSaveContext context)
        {
            // *** Binary format *** as in Load.
            context.SaveNonEmptyString(outputColumnName);
            context.Writer.Write(width);
            context.Writer.Write(perPosition);
        }
    }
}
