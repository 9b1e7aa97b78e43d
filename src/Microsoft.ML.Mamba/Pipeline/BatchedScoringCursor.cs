using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Hands out, row by row and in order, what <see cref="ScoringWindow"/> has read ahead and scored. Where a column is active
/// whose values cannot be kept (images, custom types), windows have one row, so that the input's own getters still stand on it.
/// </summary>
internal sealed class BatchedScoringCursor : DataViewRowCursor, IRowScores
{
    private readonly SequenceScorer _scorer;
    private readonly DataViewRowCursor _input;
    private readonly DataViewSchema _schema;
    private readonly bool[] _active;
    private readonly Delegate?[] _getters;
    private readonly ScoringWindow _window;
    private int _slot = -1;
    private long _position = -1;
    private bool _ended;

    public BatchedScoringCursor(SequenceScorer scorer, DataViewRowCursor input, DataViewSchema schema, bool[] active)
    {
        _scorer = scorer;
        _input = input;
        _schema = schema;
        _active = active;
        _getters = new Delegate?[schema.Count];

        var passThrough = input.Schema.Where(c => active[c.Index]).ToList();
        var canBuffer = passThrough.All(c => ColumnBuffer.CanHold(c.Type));
        var buffers = new List<ColumnBuffer>();
        if (canBuffer)
        {
            foreach (var column in passThrough)
            {
                var buffer = ColumnBuffer.Create(input, column);
                buffers.Add(buffer);
                _getters[column.Index] = buffer.CreateGetter(CurrentSlot);
            }
        }
        for (var i = 0; i < scorer.Outputs.Schema.Columns.Count; i++)
            if (active[input.Schema.Count + i])
                _getters[input.Schema.Count + i] = scorer.Outputs.Schema.Columns[i].CreateGetter(this);
        _window = new ScoringWindow(scorer, input, buffers, singleRow: !canBuffer);
    }

    public override DataViewSchema Schema => _schema;

    public override long Position => _position;

    public override long Batch => _position < 0 ? 0 : _window.Batch(_slot);

    ReadOnlySpan<float> IRowScores.Current => _window.Scores(CurrentSlot());

    public override bool MoveNext()
    {
        if (_ended)
            return false;
        if (++_slot < _window.Count)
        {
            _position++;
            return true;
        }

        // Should the next window fail, there is no current row and there are no more rows.
        var next = _position + 1;
        _position = -1;
        _ended = true;
        if (!_window.Fill())
        {
            Warn();
            return false;
        }
        _ended = false;
        _position = next;
        _slot = 0;
        return true;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => GetterChecks.IsActive(_schema, _active, column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = _window.Id(CurrentSlot());

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        GetterChecks.CheckActive(_schema, _active, column);
        return _getters[column.Index] is { } getter
            ? GetterChecks.As<TValue>(getter)
            : _input.GetGetter<TValue>(_input.Schema[column.Index]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            _position = -1;
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    private int CurrentSlot()
    {
        if (_position < 0)
            GetterChecks.ThrowNoRow();
        return _slot;
    }

    private void Warn()
    {
        foreach (var warning in _window.Warnings)
        {
            using var channel = _scorer.Host.Start("Scoring");
            channel.Warning(warning);
        }
    }
}
