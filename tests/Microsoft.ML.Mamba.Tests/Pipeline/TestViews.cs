using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Counts the cursors and rows that are asked of a view, and can forbid shuffling.</summary>
internal sealed class WatchedView(IDataView source, bool? canShuffle = null) : IDataView
{
    /// <summary>For each cursor that was opened, the names of its active columns.</summary>
    public List<string[]> Opened { get; } = [];

    /// <summary>How often a cursor was moved onto a row.</summary>
    public int RowsRead { get; private set; }

    public int Disposed { get; private set; }

    public bool CanShuffle => canShuffle ?? source.CanShuffle;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var columns = columnsNeeded.ToArray();
        lock (Opened)
            Opened.Add([.. columns.Select(c => c.Name)]);
        return new Cursor(this, source.GetRowCursor(columns, CanShuffle ? rand : null));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var columns = columnsNeeded.ToArray();
        return [.. source.GetRowCursorSet(columns, n, CanShuffle ? rand : null).Select(c => new Cursor(this, c))];
    }

    private sealed class Cursor(WatchedView view, DataViewRowCursor input) : DataViewRowCursor
    {
        public override DataViewSchema Schema => input.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override bool MoveNext()
        {
            var moved = input.MoveNext();
            view.RowsRead += moved ? 1 : 0;
            return moved;
        }

        protected override void Dispose(bool disposing)
        {
            view.Disposed++;
            input.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>A view whose one column of floats comes sparse.</summary>
internal sealed class SparseView(IDataView source, string column) : IDataView
{
    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(column, source.GetRowCursor(columnsNeeded, rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(string sparse, DataViewRowCursor input) : DataViewRowCursor
    {
        public override DataViewSchema Schema => input.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool MoveNext() => input.MoveNext();

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Name != sparse)
                return input.GetGetter<TValue>(column);
            var getter = input.GetGetter<VBuffer<float>>(column);
            VBuffer<float> dense = default;
            return (ValueGetter<TValue>)(Delegate)(ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                getter(ref dense);
                var items = dense.Items().Where(i => i.Value != 0).ToArray();
                value = new VBuffer<float>(dense.Length, items.Length, [.. items.Select(i => i.Value)], [.. items.Select(i => i.Key)]);
            });
        }

        protected override void Dispose(bool disposing)
        {
            input.Dispose();
            base.Dispose(disposing);
        }
    }
}
