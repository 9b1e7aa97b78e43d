using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Single rows with a <see cref="MappedColumn"/>, for <see cref="PredictionEngine{TSrc, TDst}"/>.</summary>
internal sealed class MappedRows(MappedColumn column, DataViewSchema inputSchema, DataViewSchema outputSchema) : IRowToRowMapper
{
    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = RowCursorUtils.FromColumnsToPredicate(dependingColumns, outputSchema);
        var mapped = needed(inputSchema.Count) ? column.FindInputs(inputSchema) : [];
        return inputSchema.Where(c => needed(c.Index) || mapped.Any(m => m.Index == c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(input, nameof(input));
        Contracts.CheckParam(input.Schema == inputSchema, nameof(input), "The row's schema is not the one that the mapper was made for.");
        var needed = RowCursorUtils.FromColumnsToPredicate(activeColumns, outputSchema);
        return new MappedRow(column, input, outputSchema, [.. outputSchema.Select(c => needed(c.Index))]);
    }

    private sealed class MappedRow(MappedColumn column, DataViewRow input, DataViewSchema schema, bool[] active) : DataViewRow
    {
        private readonly RowFaults _faults = new();

        public override DataViewSchema Schema => schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

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
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
