using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The checks that ML.NET expects of every row when a getter is asked for.</summary>
internal static class GetterChecks
{
    public static bool IsActive(DataViewSchema schema, bool[] active, DataViewSchema.Column column)
    {
        if (column.Index >= schema.Count)
            throw Contracts.ExceptParam(nameof(column), $"Column '{column.Name}' is not part of the schema.");
        return active[column.Index];
    }

    public static void CheckActive(DataViewSchema schema, bool[] active, DataViewSchema.Column column)
    {
        if (!IsActive(schema, active, column))
            throw Contracts.ExceptParam(nameof(column), $"Column '{column.Name}' is not active.");
    }

    /// <summary>The getter as one of the type asked for.</summary>
    public static ValueGetter<TValue> As<TValue>(Delegate getter) => getter as ValueGetter<TValue>
        ?? throw Contracts.Except($"Invalid TValue in GetGetter: '{typeof(TValue)}', expected type: '{getter.GetType().GetGenericArguments()[0]}'.");

    [DoesNotReturn]
    public static void ThrowNoRow() => throw Contracts.Except("Values can only be read after MoveNext has returned true.");
}
