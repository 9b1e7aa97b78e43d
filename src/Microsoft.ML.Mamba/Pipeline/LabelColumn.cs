using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Finds label columns and words the errors about them.</summary>
internal static class LabelColumn
{
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no labels for the task.</exception>
    public static SchemaShape.Column Find(IExceptionContext context, IPredictionTask task, SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw SequenceColumn.Missing(context, name, "label", nameof(MambaTrainerOptions.LabelColumnName), schema.Select(c => c.Name));
        if (!task.Accepts(column))
            throw context.ExceptParam("schema", $"Label column '{name}' has type {column.GetTypeString()}; expected {task.AcceptedLabel}.");
        return column;
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no labels for the task.</exception>
    public static DataViewSchema.Column Find(IExceptionContext context, IPredictionTask task, DataViewSchema schema, string name)
    {
        Find(context, task, SchemaShape.Create(schema), name);
        var column = schema[name];
        if (task.Defect(column) is { } defect)
            throw context.ExceptParam("schema", $"Label column '{name}' has type {column.Type}; {defect}.");
        return column;
    }
}
