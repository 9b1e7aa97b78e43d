using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The columns that a task adds to its input. Promise (shape), schema and values all come from the same columns.</summary>
/// <param name="columnKind">The task, for evaluators; null where the columns are no scores.</param>
/// <param name="columns">The columns.</param>
internal sealed class ScoreSchema(string? columnKind, params ScoreColumn[] columns)
{
    public IReadOnlyList<ScoreColumn> Columns => columns;

    /// <summary>The input's columns, then the score columns.</summary>
    public DataViewSchema AppendTo(DataViewSchema input)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        var setId = input.GetMaxAnnotationKind(out _, AnnotationUtils.Kinds.ScoreColumnSetId) + 1;
        builder.AddColumns(columns.Select(c => c.Detached(setId, columnKind)));
        return builder.ToSchema();
    }

    /// <summary>What <see cref="AppendTo(DataViewSchema)"/> will deliver, as a shape. A score column hides an input column of its name.</summary>
    public SchemaShape AppendTo(SchemaShape input)
    {
        var added = SchemaShape.Create(AppendTo(new DataViewSchema.Builder().ToSchema()));
        return new SchemaShape(input.Where(c => columns.All(s => s.Name != c.Name)).Concat(added));
    }
}
