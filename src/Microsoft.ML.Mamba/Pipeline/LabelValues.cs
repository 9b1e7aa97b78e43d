using Microsoft.ML.Data;
using Microsoft.ML.Data.IO;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The values that the keys of a label stand for (its KeyValues annotation), of whatever type they are.</summary>
internal abstract class LabelValues(VectorDataViewType type)
{
    /// <summary>A vector with one value per class.</summary>
    public VectorDataViewType Type { get; } = type;

    public bool AreText => Type.ItemType is TextDataViewType;

    /// <summary>A <see cref="ValueGetter{TValue}"/> of the annotation.</summary>
    public abstract Delegate Getter { get; }

    public abstract void Save(IHost host, Stream stream);

    /// <summary>The key values of a label column; null when it has none of the right size.</summary>
    public static LabelValues? Of(DataViewSchema.Column label, int classes)
    {
        var type = label.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type as VectorDataViewType;
        return type is null || type.Size != classes ? null : Create(type, label.Annotations);
    }

    /// <summary>Values that nobody will read: for the promise of a schema.</summary>
    public static LabelValues? Placeholder(SchemaShape.Column label, int classes)
    {
        if (!label.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out var values)
            || values.Kind != SchemaShape.Column.VectorKind.Vector || values.ItemType is not PrimitiveDataViewType item)
            return null;
        return Create(new VectorDataViewType(item, classes), null);
    }

    public static LabelValues Load(IHost host, Stream stream, int classes)
    {
        var saver = new BinarySaver(host, new BinarySaver.Arguments());
        if (!saver.TryLoadTypeAndValue(stream, out var type, out var value) || type is not VectorDataViewType vector || vector.Size != classes)
            throw host.ExceptDecode($"The label values of the model are damaged: expected {classes} values.");
        return Create(vector, value);
    }

    private static LabelValues Create(VectorDataViewType type, object? source) =>
        (LabelValues)Activator.CreateInstance(typeof(Typed<>).MakeGenericType(type.ItemType.RawType), type, source)!;

    private sealed class Typed<T> : LabelValues
    {
        private readonly VBuffer<T> _values;

        public Typed(VectorDataViewType type, object? source)
            : base(type)
        {
            if (source is VBuffer<T> values)
                values.CopyToDense(ref _values);
            else if (source is DataViewSchema.Annotations annotations)
                annotations.GetValue(AnnotationUtils.Kinds.KeyValues, ref _values);
        }

        public override Delegate Getter => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values.CopyTo(ref value));

        public override void Save(IHost host, Stream stream)
        {
            var values = _values;
            var saver = new BinarySaver(host, new BinarySaver.Arguments());
            if (!saver.TryWriteTypeAndValue(stream, Type, ref values, out _))
                throw host.Except($"Label values of type {Type.ItemType} cannot be saved.");
        }
    }
}
