using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the label of the current row; false when it is missing.</summary>
internal delegate bool LabelGetter(out float target);

/// <summary>All that tells one trainer with labels from another: which labels it takes and which columns it fills.</summary>
internal interface IPredictionTask
{
    /// <summary>What the label column has to be and how to get there, as in "expected …".</summary>
    string AcceptedLabel { get; }

    /// <summary>Whether a label column of this shape will do.</summary>
    bool Accepts(SchemaShape.Column label);

    /// <summary>What is wrong with a column of the right shape, or null.</summary>
    string? Defect(DataViewSchema.Column label);

    /// <summary>How labels are read: key - 1, 0 or 1, or the number.</summary>
    LabelGetter GetLabels(DataViewRow row, DataViewSchema.Column label);

    /// <summary>What is learnt from this label column.</summary>
    TrainingObjective CreateObjective(DataViewSchema.Column label);

    /// <summary>The output columns of a model trained on a label column of this shape, with placeholders for what only its values tell.</summary>
    ScoreSchema Promise(SchemaShape.Column label);

    /// <summary>What a model trained on this label column fills.</summary>
    ITaskOutputs CreateOutputs(DataViewSchema.Column label);
}

/// <summary>The output side of a task, as a trained model holds it.</summary>
internal interface ITaskOutputs
{
    /// <summary>The output columns.</summary>
    ScoreSchema Schema { get; }

    /// <summary>Values per row that the model must have, or per position.</summary>
    int OutputCount { get; }

    /// <summary>Whether rows have so many values for each position.</summary>
    bool PerPosition => false;

    /// <summary>Whether it is only a word's first position that has values, for text.</summary>
    bool ByWord => false;

    /// <summary>Writes what the task's loader reads back.</summary>
    void Save(ModelSaveContext context);
}
