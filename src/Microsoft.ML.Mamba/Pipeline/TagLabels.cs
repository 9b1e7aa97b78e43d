using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the tags of the current row into a vector of 1 (has it) and 0, one per tag; false when they are missing.</summary>
internal delegate bool TagsGetter(int[] has);

/// <summary>The label column of several tags: Boolean or Single per tag, or text with the names of those that a row has.</summary>
internal static class TagLabels
{
    public const string Accepted = "a vector of Boolean or Single of known size, one value per tag, or text with the tags' names between separators. "
        + "For keys, append Transforms.Conversion.MapKeyToVector for the label column before the trainer";

    /// <summary>More tags than this cannot be meant.</summary>
    public const int MostTags = 1 << 20;

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no tags.</exception>
    public static SchemaShape.Column Find(IExceptionContext context, SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw SequenceColumn.Missing(context, name, "label", nameof(MambaTrainerOptions.LabelColumnName), schema.Select(c => c.Name));
        var accepted = !column.IsKey && (column.Kind == SchemaShape.Column.VectorKind.Scalar
            ? column.ItemType is TextDataViewType
            : column.Kind == SchemaShape.Column.VectorKind.Vector && (column.ItemType is BooleanDataViewType || column.ItemType == NumberDataViewType.Single));
        return accepted ? column : throw context.ExceptParam("schema", $"Label column '{name}' has type {column.GetTypeString()}; expected {Accepted}.");
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no tags.</exception>
    public static DataViewSchema.Column Find(IExceptionContext context, DataViewSchema schema, string name)
    {
        Find(context, SchemaShape.Create(schema), name);
        var column = schema[name];
        if (column.Type is VectorDataViewType { Size: > MostTags } vector)
            throw context.ExceptParam("schema", $"Label column '{name}' has {vector.Size} tags; expected at most {MostTags}.");
        return column;
    }

    /// <summary>The names of the tags: those that occur in a text column, in ordinal order; the slot names of a vector; or null where it has none.</summary>
    public static string[]? Names(DataViewSchema.Column label, IDataView data, char separator, Action checkAlive)
    {
        if (label.Type is TextDataViewType)
            return Occurring(label, data, separator, checkAlive);
        var size = ((VectorDataViewType)label.Type).Size;
        if (label.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.SlotNames)?.Type is not VectorDataViewType { ItemType: TextDataViewType } names || names.Size != size)
            return null;
        VBuffer<ReadOnlyMemory<char>> values = default;
        label.Annotations.GetValue(AnnotationUtils.Kinds.SlotNames, ref values);
        return [.. values.DenseValues().Select(v => v.ToString())];
    }

    /// <summary>How the tags of a row are read.</summary>
    /// <param name="row">The row.</param>
    /// <param name="label">Its label column.</param>
    /// <param name="names">The tags by name, for text; others are passed over.</param>
    /// <param name="separator">What stands between the names in text.</param>
    public static TagsGetter GetTags(DataViewRow row, DataViewSchema.Column label, IReadOnlyDictionary<string, int> names, char separator)
    {
        if (label.Type is TextDataViewType)
            return Texts(row.GetGetter<ReadOnlyMemory<char>>(label), names, separator);
        return ((VectorDataViewType)label.Type).ItemType is BooleanDataViewType
            ? Values(row.GetGetter<VBuffer<bool>>(label), value => value ? 1 : 0)
            : Values(row.GetGetter<VBuffer<float>>(label), value => float.IsNaN(value) ? -1 : value > 0 ? 1 : 0);
    }

    private static TagsGetter Texts(ValueGetter<ReadOnlyMemory<char>> getter, IReadOnlyDictionary<string, int> names, char separator)
    {
        ReadOnlyMemory<char> text = default;
        return has =>
        {
            getter(ref text);
            Array.Clear(has);
            foreach (var name in Split(text, separator))
                if (names.TryGetValue(name, out var tag))
                    has[tag] = 1;
            return true;
        };
    }

    // A missing value anywhere makes the label missing.
    private static TagsGetter Values<T>(ValueGetter<VBuffer<T>> getter, Func<T, int> toTag)
    {
        VBuffer<T> values = default;
        return has =>
        {
            getter(ref values);
            Array.Clear(has);
            foreach (var (slot, value) in values.Items())
                has[slot] = toTag(value);
            return !has.AsSpan().Contains(-1);
        };
    }

    private static string[] Split(ReadOnlyMemory<char> text, char separator) =>
        text.ToString().Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Occurring(DataViewSchema.Column label, IDataView data, char separator, Action checkAlive)
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
            found.UnionWith(Split(text, separator));
        }
        return [.. found];
    }

    /// <summary>The tags by name, each to its slot.</summary>
    public static IReadOnlyDictionary<string, int> SlotsOf(IEnumerable<string> names) =>
        names.Select((name, slot) => (name, slot)).DistinctBy(pair => pair.name).ToDictionary(pair => pair.name, pair => pair.slot, StringComparer.Ordinal);

    /// <summary>The error about text without any tag.</summary>
    public static Exception NoTags(IExceptionContext context, string column, char separator) => context.Except(
        string.Create(CultureInfo.InvariantCulture, $"Label column '{column}' names no tag in any row; expected names between '{separator}'."));
}
