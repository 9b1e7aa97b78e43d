using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A pass over FASTA or FASTQ files. Texts are made when they are asked for.</summary>
internal sealed class FastaCursor(IHost host, DataViewSchema schema, bool[] active, IEnumerator<SequenceFileReader> rows) : DataViewRowCursor
{
    private long _position = -1;
    private bool _ended;

    public override DataViewSchema Schema => schema;

    public override long Position => _position;

    public override long Batch => 0;

    private SequenceFileReader Current
    {
        get
        {
            if (_position < 0)
                GetterChecks.ThrowNoRow();
            return rows.Current;
        }
    }

    public override bool MoveNext()
    {
        if (_ended)
            return false;
        // Should the next row fail, there is no current row and there are no more rows.
        var next = _position + 1;
        (_position, _ended) = (-1, true);
        host.CheckAlive();
        if (!rows.MoveNext())
            return false;
        (_position, _ended) = (next, false);
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => GetterChecks.IsActive(schema, active, column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
    {
        _ = Current;
        id = new DataViewRowId((ulong)_position, 0);
    };

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        GetterChecks.CheckActive(schema, active, column);
        return GetterChecks.As<TValue>(column.Name switch
        {
            "Id" => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Current.Id.AsMemory()),
            "Description" => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Current.Description.AsMemory()),
            "Sequence" => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Encoding.ASCII.GetString(Current.Letters).AsMemory()),
            "Quality" => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Encoding.ASCII.GetString(Current.Quality).AsMemory()),
            _ => (ValueGetter<long>)((ref long value) => value = Current.Start),
        });
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            (_position, _ended) = (-1, true);
            rows.Dispose();
        }
        base.Dispose(disposing);
    }
}
