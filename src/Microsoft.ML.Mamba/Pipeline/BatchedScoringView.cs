using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// The scored data. Its cursors read ahead by a window of rows and score it in batches; rows come out in the input's order,
/// with the input's ids. A cursor set is one cursor: the model itself uses all cores.
/// </summary>
internal sealed class BatchedScoringView(SequenceScorer scorer, IDataView input, DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        var needed = InputColumns(active);
        rand = CanShuffle ? rand : null;
        return NeedsModel(active)
            ? new BatchedScoringCursor(scorer, input.GetRowCursor(needed, rand), schema, active)
            : new PassThroughCursor(input.GetRowCursor(needed, rand), schema, active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var columns = columnsNeeded.ToArray();
        var active = Active(columns);
        if (NeedsModel(active))
            return [GetRowCursor(columns, rand)];
        return [.. input.GetRowCursorSet(InputColumns(active), n, CanShuffle ? rand : null).Select(c => new PassThroughCursor(c, schema, active))];
    }

    private bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = RowCursorUtils.FromColumnsToPredicate(columns, schema);
        return [.. schema.Select(c => needed(c.Index))];
    }

    private bool NeedsModel(bool[] active) => active.AsSpan(input.Schema.Count).Contains(true);

    private DataViewSchema.Column[] InputColumns(bool[] active)
    {
        var sequence = NeedsModel(active) ? input.Schema[scorer.SequenceColumnName].Index : -1;
        return [.. input.Schema.Where(c => active[c.Index] || c.Index == sequence)];
    }
}
