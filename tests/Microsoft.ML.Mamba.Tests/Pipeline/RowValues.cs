using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A row as it was read: position, batch, id and the values of its active columns (null where not active).</summary>
internal sealed record RowValues(long Position, long Batch, DataViewRowId Id, object?[] Values)
{
    /// <summary>The largest difference between two scores that count as the same, absolute: the one of ML.NET's own tests.</summary>
    public const float Tolerance = 1e-6f;

    /// <summary>All rows of a cursor, which is disposed.</summary>
    public static List<RowValues> ReadAll(DataViewRowCursor cursor)
    {
        using (cursor)
        {
            var read = Reader(cursor);
            var rows = new List<RowValues>();
            while (cursor.MoveNext())
                rows.Add(read());
            return rows;
        }
    }

    /// <summary>All rows and columns of a view.</summary>
    public static List<RowValues> ReadAll(IDataView view) => ReadAll(view.GetRowCursor(view.Schema));

    /// <summary>Reads the row on which <paramref name="row"/> stands, again and again.</summary>
    public static Func<RowValues> Reader(DataViewRow row)
    {
        var readers = row.Schema.Select(c => row.IsColumnActive(c) ? ColumnReader(row, c) : () => null).ToArray();
        var idGetter = row.GetIdGetter();
        return () =>
        {
            DataViewRowId id = default;
            idGetter(ref id);
            return new RowValues(row.Position, row.Batch, id, [.. readers.Select(r => r())]);
        };
    }

    /// <summary>Asserts that rows agree in position, id and every column that both have read.</summary>
    public static void AssertSame(IReadOnlyList<RowValues> expected, IReadOnlyList<RowValues> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            AssertSame(expected[i], actual[i]);
    }

    /// <summary>Asserts that two rows agree in position, id and every column that both have read.</summary>
    public static void AssertSame(RowValues expected, RowValues actual)
    {
        Assert.True(expected.Position == actual.Position, $"position {actual.Position}; expected {expected.Position}");
        AssertSameValues(expected, actual);
    }

    /// <summary>Asserts that two rows agree in id and every column that both have read.</summary>
    public static void AssertSameValues(RowValues expected, RowValues actual)
    {
        Assert.True(expected.Id.Equals(actual.Id), $"row {expected.Position}: id {actual.Id}; expected {expected.Id}");
        for (var column = 0; column < expected.Values.Length; column++)
            if (expected.Values[column] is { } left && actual.Values[column] is { } right)
                Assert.True(Same(left, right), $"row {expected.Position}, column {column}: {Text(right)}; expected {Text(left)} ± {Tolerance}");
    }

    private static bool Same(object left, object right) => (left, right) switch
    {
        (float a, float b) => Same(a, b),
        (float[] a, float[] b) => a.Length == b.Length && a.Zip(b).All(p => Same(p.First, p.Second)),
        _ => left.Equals(right),
    };

    private static bool Same(float a, float b) => MathF.Abs(a - b) <= Tolerance || BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b);

    private static string? Text(object value) => value is float[] numbers
        ? string.Join(", ", numbers.Select(n => n.ToString("R", CultureInfo.InvariantCulture)))
        : Convert.ToString(value, CultureInfo.InvariantCulture);

    private static Func<object?> ColumnReader(DataViewRow row, DataViewSchema.Column column)
    {
        var vector = column.Type as VectorDataViewType;
        var generic = vector is null
            ? new Func<DataViewRow, DataViewSchema.Column, Func<object?>>(Scalar<int>)
            : new Func<DataViewRow, DataViewSchema.Column, Func<object?>>(Vector<int>);
        return (Func<object?>)generic.Method.GetGenericMethodDefinition()
            .MakeGenericMethod(vector?.ItemType.RawType ?? column.Type.RawType).Invoke(null, [row, column])!;
    }

    private static Func<object?> Scalar<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return value is float number ? number : Convert.ToString(value, CultureInfo.InvariantCulture);
        };
    }

    private static Func<object?> Vector<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> value = default;
        return () =>
        {
            getter(ref value);
            return value is VBuffer<float> numbers
                ? numbers.DenseValues().ToArray()
                : string.Join(", ", value.DenseValues().Select(v => Convert.ToString(v, CultureInfo.InvariantCulture)));
        };
    }
}
