using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// The rows that a cursor has read ahead: their sequences, scores, ids and pass-through values, one slot each. The first
/// window is one batch, so that the first rows come soon; later ones grow, so that batches hold sequences of like lengths.
/// </summary>
internal sealed class ScoringWindow
{
    private const int Growth = 4;
    private const int MostBatches = 64;

    /// <summary>Ids, frame values, or values that the model gives positions, per window: 8 MB.</summary>
    private const long MostElements = 1 << 21;

    private readonly SequenceScorer _scorer;
    private readonly DataViewRowCursor _input;
    private readonly SequenceReader _reader;
    private readonly SequenceSet _sequences;
    private readonly ScoreTable _scores;
    private readonly TruncationPolicy _truncation;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly List<ColumnBuffer> _buffers;
    private readonly UnreadableRows _unreadable = new();
    private readonly List<int> _unreadableSlots = [];
    private readonly int _mostRows;
    private readonly int _elementsPerPosition;
    private int _capacity;
    private DataViewRowId[] _ids = [];
    private long[] _batches = [];
    private long _rows;

    /// <param name="scorer">The model.</param>
    /// <param name="input">The cursor to read from, before its first row.</param>
    /// <param name="buffers">The pass-through columns.</param>
    /// <param name="singleRow">Whether to read just one row ahead, so that the input stays on the row handed out.</param>
    public ScoringWindow(SequenceScorer scorer, DataViewRowCursor input, List<ColumnBuffer> buffers, bool singleRow)
    {
        _scorer = scorer;
        _input = input;
        _buffers = buffers;
        _reader = scorer.CreateReader(input);
        _sequences = scorer.NewSet();
        _scores = new ScoreTable(scorer);
        _elementsPerPosition = Math.Max(Math.Max(1, _sequences.FrameWidth), scorer.Outputs.PerPosition ? scorer.OutputCount : 0);
        _truncation = scorer.NewTruncation();
        _idGetter = input.GetIdGetter();
        _capacity = singleRow ? 1 : scorer.BatchSize;
        _mostRows = singleRow ? 1 : (int)Math.Min((long)MostBatches * scorer.BatchSize, Array.MaxLength / Math.Max(1, scorer.OutputCount));
    }

    public int Count { get; private set; }

    /// <summary>What to warn of at the end: rows cut to their longest length, rows that could not be read.</summary>
    public IEnumerable<string> Warnings => new[] { _truncation.Warning(_rows), _unreadable.Warning(_rows) }.OfType<string>();

    public ReadOnlySpan<float> Scores(int slot) => _scores[slot];

    public DataViewRowId Id(int slot) => _ids[slot];

    public long Batch(int slot) => _batches[slot];

    /// <summary>Reads and scores the next rows; those of an unreadable row are missing.</summary>
    /// <returns>False when there are no more rows.</returns>
    public bool Fill()
    {
        Count = 0;
        _sequences.Clear();
        _unreadableSlots.Clear();
        while (Count < _capacity && _sequences.TotalLength * _elementsPerPosition < MostElements && _input.MoveNext())
        {
            Read();
        }
        if (Count == 0)
            return false;

        _rows += Count;
        _scores.Fill(_sequences);
        foreach (var slot in _unreadableSlots)
            _scores.SetMissing(slot);
        _capacity = Math.Min(_mostRows, Growth * _capacity);
        return true;
    }

    private void Read()
    {
        try
        {
            _reader.AppendTo(_sequences, _truncation, 0f, _input.Position);
        }
        catch (Exception e) when (e is FormatException or SequenceTokenizationException)
        {
            _unreadable.Add(_scorer.Unreadable(_input.Position, e));
            _unreadableSlots.Add(Count);
            _scorer.AddEmpty(_sequences, _input.Position);
        }
        if (Count == _ids.Length)
        {
            Array.Resize(ref _ids, Math.Max(64, 2 * Count));
            Array.Resize(ref _batches, _ids.Length);
        }
        _idGetter(ref _ids[Count]);
        _batches[Count] = _input.Batch;
        foreach (var buffer in _buffers)
            buffer.Store(Count);
        Count++;
    }
}
