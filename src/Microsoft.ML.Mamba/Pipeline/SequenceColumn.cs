using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>How the values of a sequence column become ids or frames. The numbers are written into models.</summary>
internal enum SequenceColumnKind : byte
{
    /// <summary>Text: a tokenizer makes the ids.</summary>
    Text = 0,

    /// <summary>A vector of keys: the id is the key itself, 1 to the key count; 0 stands for a missing key.</summary>
    Keys = 1,

    /// <summary>A vector of integers: they are the ids, 0 or more.</summary>
    Integers = 2,

    /// <summary>A vector of Single: frames of a fixed width, one after the other.</summary>
    Frames = 3,
}

/// <summary>What a sequence column may be, and the errors for all it may not be.</summary>
internal static class SequenceColumn
{
    public const string Accepted = "text, a vector of keys, a vector of integers (ids from 0), or a vector of Single (frames)";

    /// <summary>The kind of the column named, known from a promise of a schema.</summary>
    /// <param name="context">Whose error it would be.</param>
    /// <param name="schema">The promise.</param>
    /// <param name="name">The column.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no sequences.</exception>
    public static SequenceColumnKind Classify(IExceptionContext context, SchemaShape schema, string name, string option)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw Missing(context, name, "sequence", option, schema.Select(c => c.Name));
        return Classify(column.Kind != SchemaShape.Column.VectorKind.Scalar, column.ItemType, column.IsKey)
            ?? throw Refused(context, name, column.GetTypeString());
    }

    /// <summary>The column named and its kind.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it holds no sequences.</exception>
    public static SequenceColumnKind Classify(IExceptionContext context, DataViewSchema schema, string name, string option, out DataViewSchema.Column column)
    {
        column = schema.GetColumnOrNull(name)
            ?? throw Missing(context, name, "sequence", option, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        var item = column.Type is VectorDataViewType vector ? vector.ItemType : column.Type;
        return Classify(column.Type is VectorDataViewType, item, item is KeyDataViewType)
            ?? throw Refused(context, name, $"{column.Type}");
    }

    /// <summary>The error for a column that the data does not have; it lists those that it has.</summary>
    public static Exception Missing(IExceptionContext context, string name, string role, string option, IEnumerable<string> present)
    {
        var names = string.Join(", ", present.Select(n => $"'{n}'"));
        return context.ExceptParam("schema",
            $"Could not find {role} column '{name}'; the data has {(names.Length == 0 ? "no columns" : names)}. Set {option} to one of them.");
    }

    private static SequenceColumnKind? Classify(bool isVector, DataViewType item, bool isKey) => (isVector, isKey) switch
    {
        (false, false) when item is TextDataViewType => SequenceColumnKind.Text,
        (true, true) => SequenceColumnKind.Keys,
        (true, false) when item == NumberDataViewType.Single => SequenceColumnKind.Frames,
        (true, false) when IsInteger(item) => SequenceColumnKind.Integers,
        _ => null,
    };

    private static bool IsInteger(DataViewType item) =>
        item == NumberDataViewType.SByte || item == NumberDataViewType.Byte
        || item == NumberDataViewType.Int16 || item == NumberDataViewType.UInt16
        || item == NumberDataViewType.Int32 || item == NumberDataViewType.UInt32
        || item == NumberDataViewType.Int64 || item == NumberDataViewType.UInt64;

    private static Exception Refused(IExceptionContext context, string name, string type) =>
        context.ExceptParam("schema", $"Sequence column '{name}' has type {type}; expected {Accepted}.");
}
