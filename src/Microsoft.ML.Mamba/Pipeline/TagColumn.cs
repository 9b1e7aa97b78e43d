using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Finds label columns with one label per position, word or event, and words the errors about them.</summary>
internal static class TagColumn
{
    /// <summary>More classes than this cannot be meant, for example keys without a count of their own.</summary>
    public const int MostClasses = 1 << 16;

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no labels of this unit.</exception>
    public static SchemaShape.Column Find(IExceptionContext context, SchemaShape schema, string name, MambaTagUnit unit)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw SequenceColumn.Missing(context, name, "label", nameof(MambaLabelledOptions.LabelColumnName), schema.Select(c => c.Name));
        var text = column.Kind == SchemaShape.Column.VectorKind.Scalar && !column.IsKey && column.ItemType is TextDataViewType;
        var keys = column.Kind != SchemaShape.Column.VectorKind.Scalar && column.IsKey && unit != MambaTagUnit.Event;
        return text || keys ? column : throw context.ExceptParam("schema",
            $"Label column '{name}' has type {column.GetTypeString()}; expected {Accepted(unit)}.");
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no labels of this unit.</exception>
    public static DataViewSchema.Column Find(IExceptionContext context, DataViewSchema schema, string name, MambaTagUnit unit)
    {
        Find(context, SchemaShape.Create(schema), name, unit);
        var column = schema[name];
        if (KeyOf(column) is { Count: < 2 or > MostClasses } key)
            throw context.ExceptParam("schema", $"Label column '{name}' has keys of {key.Count} values; expected 2 to {MostClasses}. Map the labels with Transforms.Conversion.MapValueToKey.");
        return column;
    }

    /// <summary>The type of the keys; null for text.</summary>
    public static KeyDataViewType? KeyOf(DataViewSchema.Column label) => (label.Type as VectorDataViewType)?.ItemType as KeyDataViewType;

    /// <summary>The labels that a text column has, and the background where there are events, in ordinal order.</summary>
    public static string[] Names(IExceptionContext context, IDataView data, DataViewSchema.Column label, TagAlignment alignment, Action checkAlive)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        using var cursor = data.GetRowCursor([label]);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(label);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            if ((cursor.Position & 0xFF) == 0)
                checkAlive();
            getter(ref text);
            try
            {
                found.UnionWith(TagReader.NamesIn(text.ToString(), alignment.Unit));
            }
            catch (LabelException e)
            {
                throw context.Except(e, $"Label column '{label.Name}', row {cursor.Position} (from 0) of the training data: {e.Message}");
            }
        }
        if (alignment.Unit == MambaTagUnit.Event)
            found.Add(alignment.Background);
        return found.Count is >= 2 and <= MostClasses
            ? [.. found]
            : throw context.Except($"Label column '{label.Name}' has {found.Count} different labels{(found.Count == 0 ? "" : $" ('{found.Min}'…)")}; expected 2 to {MostClasses}.");
    }

    private static string Accepted(MambaTagUnit unit) => unit switch
    {
        MambaTagUnit.Position => "a vector of keys with one key per position (append Transforms.Conversion.MapValueToKey for the label column before the trainer), or text with one character per position",
        MambaTagUnit.Word => "text with one label per word between white space, or a vector of keys with one key per word",
        _ => "text of the form 'onset offset label; onset offset label', in seconds",
    };
}
