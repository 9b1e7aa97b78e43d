using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Data with a <see cref="MappedColumn"/> behind the columns of the input. Rows, order, ids and shuffling are the input's.</summary>
internal sealed class MappedView(MappedColumn column, IDataView input, DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        return Over(input.GetRowCursor(InputColumns(active), CanShuffle ? rand : null), active);
    }

    // Rows do not depend on each other: whoever asks for several cursors has them worked on by several threads.
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        return [.. input.GetRowCursorSet(InputColumns(active), n, CanShuffle ? rand : null).Select(c => Over(c, active))];
    }

    private DataViewRowCursor Over(DataViewRowCursor cursor, bool[] active) =>
        active[^1] ? new MappedCursor(column, cursor, schema, active) : new PassThroughCursor(cursor, schema, active);

    private bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = RowCursorUtils.FromColumnsToPredicate(columns, schema);
        return [.. schema.Select(c => needed(c.Index))];
    }

    private DataViewSchema.Column[] InputColumns(bool[] active)
    {
        var mapped = active[^1] ? column.FindInputs(input.Schema) : [];
        return [.. input.Schema.Where(c => active[c.Index] || mapped.Any(m => m.Index == c.Index))];
    }
}
