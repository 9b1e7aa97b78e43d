using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Texts as a view with the columns that a model expects. One of them holds the texts; the others, such as labels, are there in
/// name only, because what depends on them is never asked for.
/// </summary>
internal sealed class TextRows(DataViewSchema schema, DataViewSchema.Column column, IReadOnlyList<string> texts) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => false;

    private DataViewSchema.Column TextColumn => column;

    private IReadOnlyList<string> Texts => texts;

    /// <summary>A schema of one column of text.</summary>
    public static DataViewSchema SchemaOf(string columnName)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(columnName, TextDataViewType.Instance);
        return builder.ToSchema();
    }

    public long? GetRowCount() => texts.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, columnsNeeded.Any(needed => needed.Index == column.Index));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(TextRows rows, bool isActive) : DataViewRowCursor
    {
        private const int BeforeFirst = -1;
        private const int AfterLast = -2;

        private int _position = BeforeFirst;

        public override DataViewSchema Schema => rows.Schema;

        public override long Position => _position < 0 ? -1 : _position;

        public override long Batch => 0;

        private string Current => _position >= 0 ? rows.Texts[_position] : throw new InvalidOperationException("The cursor is not on a row.");

        public override bool MoveNext()
        {
            if (_position != AfterLast)
                _position = _position + 1 < rows.Texts.Count ? _position + 1 : AfterLast;
            return _position >= 0;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => isActive && column.Index == rows.TextColumn.Index;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)Position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> value) => value = Current.AsMemory();
            return IsColumnActive(column) && getter is ValueGetter<TValue> typed ? typed : throw new InvalidOperationException(
                $"Column '{column.Name}' has no values of {typeof(TValue).Name} here; texts are in '{rows.TextColumn.Name}'.");
        }
    }
}
