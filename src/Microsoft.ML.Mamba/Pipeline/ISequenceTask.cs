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

    /// <summary>The task on its training data. Rows are read only where classes are told by labels alone.</summary>
    /// <param name="context">Whose errors it would be.</param>
    /// <param name="data">The training data.</param>
    /// <param name="sequenceColumnName">Its sequences, checked before.</param>
    /// <param name="checkAlive">Throws to cancel; called while rows are read.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column that the task needs is absent or of the wrong type.</exception>
    IBoundTask Bind(IExceptionContext context, IDataView data, string sequenceColumnName, Action checkAlive);
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

    /// <summary>How rows of training or validation data are read.</summary>
    /// <param name="row">The cursor.</param>
    /// <param name="sequence">Its sequence column.</param>
    /// <param name="encoding">How sequences are read.</param>
    ITrainingRows CreateRows(DataViewRow row, DataViewSchema.Column sequence, SequenceEncoding encoding);

    /// <summary>Checks that validation data has what training data has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It differs.</exception>
    void CheckValidation(IExceptionContext context, DataViewSchema schema);

    /// <summary>What the fitted model fills.</summary>
    ITaskOutputs CreateOutputs(ModelDescription model);
}
