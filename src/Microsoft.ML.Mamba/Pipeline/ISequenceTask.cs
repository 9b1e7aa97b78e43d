using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>All that tells one estimator from another: what it reads beside the sequence, and which columns its model fills.</summary>
internal interface ISequenceTask
{
    /// <summary>The output columns of a model fitted on data of this shape, with placeholders for what only values tell.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column that the task needs is absent or of the wrong type.</exception>
    ScoreSchema Promise(IExceptionContext context, SchemaShape schema, TrainerSettings settings);

    /// <summary>The task on the columns of its training data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column that the task needs is absent or of the wrong type.</exception>
    IBoundTask Bind(IExceptionContext context, DataViewSchema schema);
}

/// <summary>A task whose training data is known.</summary>
internal interface IBoundTask
{
    /// <summary>What is learnt.</summary>
    TrainingObjective Objective { get; }

    /// <summary>Whether there is something to learn even when the encoder is given.</summary>
    bool LearnsBeyondEncoder { get; }

    /// <summary>The label, or null where sequences teach themselves.</summary>
    string? LabelColumnName { get; }

    /// <summary>How labels are read from a row of training or validation data.</summary>
    LabelGetter GetLabels(DataViewRow row);

    /// <summary>Checks that validation data has what training data has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It differs.</exception>
    void CheckValidation(IExceptionContext context, DataViewSchema schema);

    /// <summary>What the fitted model fills.</summary>
    ITaskOutputs CreateOutputs(ModelDescription model);
}
