using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A value that its cursor reuses from row to row, as an image column may.</summary>
internal sealed class Borrowed
{
    public long Position { get; set; }
}

/// <summary>The type of <see cref="Borrowed"/>: neither primitive nor vector.</summary>
internal sealed class BorrowedType() : StructuredDataViewType(typeof(Borrowed))
{
    public override bool Equals(DataViewType? other) => other is BorrowedType;

    public override bool Equals(object? obj) => obj is BorrowedType;

    public override int GetHashCode() => 1;
}

/// <summary>A view with one more column, "Borrowed", whose value is one object per cursor that changes as the cursor moves.</summary>
internal sealed class BorrowedView : IDataView
{
    private readonly IDataView _source;

    public BorrowedView(IDataView source)
    {
        _source = source;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(source.Schema);
        builder.AddColumn("Borrowed", new BorrowedType());
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, _source.GetRowCursor(_source.Schema.Where(c => columnsNeeded.Any(n => n.Index == c.Index))));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(BorrowedView view, DataViewRowCursor input) : DataViewRowCursor
    {
        private readonly Borrowed _value = new();

        public override DataViewSchema Schema => view.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool MoveNext()
        {
            var moved = input.MoveNext();
            _value.Position = input.Position;
            return moved;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => column.Name == "Borrowed" || input.IsColumnActive(input.Schema[column.Index]);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => column.Name == "Borrowed"
            ? (ValueGetter<TValue>)(Delegate)(ValueGetter<Borrowed>)((ref Borrowed value) => value = _value)
            : input.GetGetter<TValue>(input.Schema[column.Index]);

        protected override void Dispose(bool disposing)
        {
            input.Dispose();
            base.Dispose(disposing);
        }
    }
}
