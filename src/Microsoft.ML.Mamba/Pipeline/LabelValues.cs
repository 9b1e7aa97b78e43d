using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The values that the keys of a label stand for (its KeyValues annotation): text, numbers, whatever the labels were.</summary>
internal abstract class LabelValues(LabelValueType itemType, int count)
{
    /// <summary>A vector with one value per class.</summary>
    public VectorDataViewType Type { get; } = new(itemType.Type, count);

    public bool AreText => Type.ItemType is TextDataViewType;

    /// <summary>A <see cref="ValueGetter{TValue}"/> of the annotation.</summary>
    public abstract Delegate Getter { get; }

    /// <summary>The values as text.</summary>
    public abstract string[] Texts();

    /// <summary>Writes what <see cref="Load"/> reads.</summary>
    public abstract void Save(BinaryWriter writer);

    /// <summary>The key values of a label column; null when it has none of a type and size that count.</summary>
    public static LabelValues? Of(DataViewSchema.Column label, int count)
    {
        var type = label.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type as VectorDataViewType;
        return type?.Size == count ? LabelValueType.Of(type.ItemType)?.Copy(label.Annotations, count) : null;
    }

    /// <summary>Values that nobody will read, where <see cref="Of"/> would find some: for the promise of a schema.</summary>
    public static LabelValues? Placeholder(SchemaShape.Column label, int count) =>
        label.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out var values)
            && values is { Kind: SchemaShape.Column.VectorKind.Vector, IsKey: false }
            ? LabelValueType.Of(values.ItemType)?.Copy(null, count)
            : null;

    /// <exception cref="FormatException">The bytes are no label values.</exception>
    public static LabelValues Load(BinaryReader reader, int count)
    {
        // *** Binary format ***
        // byte: type of the values (LabelValueType.Tag)
        // count values of that type
        var tag = reader.ReadByte();
        var type = LabelValueType.Of(tag) ?? throw new FormatException($"The model claims label values of the unknown type {tag}.");
        // Each value takes a byte at least: no memory for more than can be there.
        if (reader.BaseStream.Length - reader.BaseStream.Position < count)
            throw new FormatException($"The model ends within its {count} label values.");
        return type.Read(reader, count);
    }
}
