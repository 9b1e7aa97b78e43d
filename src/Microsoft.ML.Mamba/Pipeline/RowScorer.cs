using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Scores one row at a time, for <see cref="PredictionEngine{TSrc, TDst}"/>. Same model and same results as
/// <see cref="BatchedScoringView"/>, which is the faster way for many rows.
/// </summary>
internal sealed class RowScorer(SequenceScorer scorer, DataViewSchema inputSchema, DataViewSchema outputSchema) : IRowToRowMapper
{
    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => outputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = RowCursorUtils.FromColumnsToPredicate(dependingColumns, outputSchema);
        var needsModel = outputSchema.Skip(inputSchema.Count).Any(c => needed(c.Index));
        return inputSchema.Where(c => needed(c.Index) || (needsModel && c.Index == inputSchema[scorer.SequenceColumnName].Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(input, nameof(input));
        Contracts.CheckParam(input.Schema == inputSchema, nameof(input), "The row's schema is not the one that the mapper was made for.");
        var needed = RowCursorUtils.FromColumnsToPredicate(activeColumns, outputSchema);
        return new ScoredRow(scorer, input, outputSchema, [.. outputSchema.Select(c => needed(c.Index))]);
    }

    private sealed class ScoredRow : DataViewRow, IRowScores
    {
        private readonly SequenceScorer _scorer;
        private readonly DataViewRow _input;
        private readonly DataViewSchema _schema;
        private readonly bool[] _active;
        private readonly SequenceReader? _reader;
        private readonly SequenceSet _sequence;
        private readonly TruncationPolicy _truncation;
        private readonly ScoreTable _scores;
        private long _scoredPosition = -1;

        public ScoredRow(SequenceScorer scorer, DataViewRow input, DataViewSchema schema, bool[] active)
        {
            _scorer = scorer;
            _input = input;
            _schema = schema;
            _active = active;
            if (active.AsSpan(input.Schema.Count).Contains(true))
                _reader = scorer.CreateReader(input);
            _sequence = scorer.NewSet();
            _truncation = scorer.NewTruncation();
            _scores = new ScoreTable(scorer);
        }

        public override DataViewSchema Schema => _schema;

        public override long Position => _input.Position;

        public override long Batch => _input.Batch;

        // Only managed results are kept: a prediction engine does not dispose the rows of its mappers.
        ReadOnlySpan<float> IRowScores.Current
        {
            get
            {
                if (_scoredPosition != _input.Position)
                    Score();
                return _scores[0];
            }
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => GetterChecks.IsActive(_schema, _active, column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            GetterChecks.CheckActive(_schema, _active, column);
            return column.Index < _input.Schema.Count
                ? _input.GetGetter<TValue>(_input.Schema[column.Index])
                : GetterChecks.As<TValue>(_scorer.Outputs.Schema.Columns[column.Index - _input.Schema.Count].CreateGetter(this));
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input.Dispose();
            base.Dispose(disposing);
        }

        private void Score()
        {
            if (_input.Position < 0)
                GetterChecks.ThrowNoRow();
            _scoredPosition = -1;
            _sequence.Clear();
            try
            {
                _reader!.AppendTo(_sequence, _truncation, 0f, _input.Position);
            }
            catch (Exception e) when (e is FormatException or SequenceTokenizationException)
            {
                throw _scorer.Unreadable(_input.Position, e);
            }
            _scores.Fill(_sequence);
            _scoredPosition = _input.Position;
        }
    }
}
