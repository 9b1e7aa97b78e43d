using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Compares schemas as ML.NET's own tests do.</summary>
internal static class SchemaAssert
{
    /// <summary>Same columns, exactly the same types, same slot names and key values, and the right error for an unknown annotation.</summary>
    public static void Same(DataViewSchema expected, DataViewSchema actual)
    {
        Assert.Equal(expected.Select(c => c.Name), actual.Select(c => c.Name));
        foreach (var (left, right) in expected.Zip(actual))
        {
            Assert.True(left.Type.Equals(right.Type), $"column '{left.Name}': type {right.Type}; expected {left.Type}");
            Assert.Equal(expected[left.Name].Index, actual[right.Name].Index);
            AssertUnknownAnnotationFails(left);
            AssertUnknownAnnotationFails(right);
            AssertSlotNames(left);
            Assert.Equal(Annotations(left), Annotations(right));
        }
    }

    /// <summary>Two shapes promise the same, both ways: names, kinds, item types, keys and annotations.</summary>
    public static void SameShape(SchemaShape promised, SchemaShape delivered) => Assert.Equal(Lines(promised), Lines(delivered));

    /// <summary>A column's annotations: kind, type and value, sorted by kind.</summary>
    public static string[] Annotations(DataViewSchema.Column column) =>
        [.. column.Annotations.Schema.OrderBy(a => a.Name, StringComparer.Ordinal).Select(a => $"{a.Name}: {a.Type} = {Value(column.Annotations, a)}")];

    private static string[] Lines(SchemaShape shape) =>
        [.. shape.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => $"{c.Name}: {c.Kind} of {c.ItemType}, key: {c.IsKey} ({string.Join("; ", Lines(c.Annotations))})")];

    private static void AssertUnknownAnnotationFails(DataViewSchema.Column column)
    {
        var value = 0;
        var error = Assert.ThrowsAny<Exception>(() => column.Annotations.GetValue("PurpleDragonScales", ref value));
        Assert.Contains("Invalid call to 'GetValue'", error.Message, StringComparison.Ordinal);
    }

    private static void AssertSlotNames(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull("SlotNames") is not { } names)
            return;
        var type = Assert.IsType<VectorDataViewType>(names.Type);
        Assert.IsType<TextDataViewType>(type.ItemType);
        Assert.Equal(((VectorDataViewType)column.Type).Size, type.Size);
        Assert.True(type.IsKnownSize);
    }

    private static string Value(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        var vector = annotation.Type as VectorDataViewType;
        var generic = vector is null
            ? new Func<DataViewSchema.Annotations, DataViewSchema.Column, string>(Scalar<int>)
            : new Func<DataViewSchema.Annotations, DataViewSchema.Column, string>(Vector<int>);
        return (string)generic.Method.GetGenericMethodDefinition()
            .MakeGenericMethod(vector?.ItemType.RawType ?? annotation.Type.RawType).Invoke(null, [annotations, annotation])!;
    }

    private static string Scalar<T>(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        T value = default!;
        annotations.GetGetter<T>(annotation)(ref value);
        return $"{value}";
    }

    private static string Vector<T>(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        VBuffer<T> value = default;
        annotations.GetGetter<VBuffer<T>>(annotation)(ref value);
        return string.Join(", ", value.DenseValues());
    }
}
