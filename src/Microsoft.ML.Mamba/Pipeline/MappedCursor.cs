using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The input's cursor with the mapped column. At the end, one warning tells how many rows had no value.</summary>
internal sealed class MappedCursor(MappedColumn column, DataViewRowCursor input, DataViewSchema schema, bool[] active) : DataViewRowCursor
{
    private readonly RowFaults _faults = new();
    private bool _warned;

    public override DataViewSchema Schema => schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool MoveNext()
    {
        if (input.MoveNext())
            return true;
        Warn();
        return false;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => GetterChecks.IsActive(schema, active, column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column asked)
    {
        GetterChecks.CheckActive(schema, active, asked);
        return asked.Index < input.Schema.Count
            ? input.GetGetter<TValue>(input.Schema[asked.Index])
            : GetterChecks.As<TValue>(column.CreateGetter(input, _faults));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Warn();
            input.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Warn()
    {
        if (_warned || _faults.Count == 0)
            return;
        _warned = true;
        using var channel = column.Host.Start("Reading");
        channel.Warning(column.Warning(_faults));
    }
}
