namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// FASTA: a header '>name description', then lines of letters. Lines that begin with ';' are comments; in files of the older kind,
/// which have no '>', the first of them is the header of the letters that follow.
/// </summary>
internal sealed class FastaReader(LetterFile file, FastaOptions options) : SequenceFileReader(file, options)
{
    private byte[] _letters = new byte[options.WindowLength > 0 ? Math.Min(options.WindowLength, 1 << 16) : 1024];
    private int _count;
    private long _skip; // letters between the windows that are still to be passed over
    private long _covered; // the end of what windows have shown of the record
    private bool _inRecord;
    private bool _old; // the record began with ';'
    private bool _seenNew; // a record began with '>'
    private bool _atLineStart;
    private bool _lettersInRecord;
    private long _headerLine;

    public override ReadOnlySpan<byte> Letters => _letters.AsSpan(0, _count);

    public override ReadOnlySpan<byte> Quality => default;

    public override bool MoveNext() => Options.WindowLength > 0 ? NextWindow() : NextRecord();

    private bool NextRecord()
    {
        if (!ReadHeader())
            return false;
        _count = 0;
        while (HasMoreLetters())
        {
            CheckLength();
            if (_count == _letters.Length)
                Array.Resize(ref _letters, 2 * _count);
            _count += TakeLetters(_letters.AsSpan(_count));
        }
        CheckLength();
        return true;
    }

    private void CheckLength()
    {
        if (_count > Options.MaxSequenceLength)
            throw TooLong(_headerLine, "Set WindowLength to read it in windows, or a larger MaxSequenceLength to hold it as a whole.");
    }

    private bool NextWindow()
    {
        if (_inRecord)
            Slide();
        while (true)
        {
            if (!_inRecord)
            {
                if (!ReadHeader())
                    return false;
                (_inRecord, _count, _skip, _covered, Start) = (true, 0, 0, 0, 0);
            }
            FillWindow();
            if (_count < Options.WindowLength)
                _inRecord = false; // the record ended
            if (_count > 0 && Start + _count > _covered && (_count == Options.WindowLength || !Options.DropShortWindows))
            {
                _covered = Start + _count;
                return true;
            }
            _inRecord = false;
        }
    }

    private void Slide()
    {
        var dropped = Math.Min(_count, Options.Stride);
        _letters.AsSpan(dropped, _count - dropped).CopyTo(_letters);
        _count -= dropped;
        _skip = Options.Stride - dropped;
        Start += Options.Stride;
    }

    private void FillWindow()
    {
        Span<byte> passed = stackalloc byte[1024];
        while (_count < Options.WindowLength && HasMoreLetters())
        {
            if (_skip > 0)
            {
                _skip -= TakeLetters(passed[..(int)Math.Min(_skip, passed.Length)]);
                continue;
            }
            if (_count == _letters.Length)
                Array.Resize(ref _letters, (int)Math.Min(Options.WindowLength, 2L * _count));
            _count += TakeLetters(_letters.AsSpan(_count, Math.Min(_letters.Length, Options.WindowLength) - _count));
        }
    }

    // Passes over ends of lines, blank lines and comments; false at the end of the record.
    private bool HasMoreLetters()
    {
        if (File.Available().Length > 0 && !_atLineStart)
            return true;
        while (true)
        {
            if (File.TryEndLine())
            {
                _atLineStart = true;
                continue;
            }
            switch (File.Peek())
            {
                case < 0:
                case '>' when _atLineStart:
                case ';' when _atLineStart && _old && _lettersInRecord:
                    return false;
                case ';' when _atLineStart:
                    File.ReadLine();
                    continue;
                default:
                    _atLineStart = false;
                    _lettersInRecord = true;
                    return true;
            }
        }
    }

    private bool ReadHeader()
    {
        byte[]? comment = null;
        while (true)
        {
            File.SkipBlank();
            var line = File.Line;
            switch (File.Peek())
            {
                case < 0:
                    return false;
                case '>':
                    File.Advance(1);
                    SetHeader(File.ReadLine());
                    (_old, _seenNew) = (false, true);
                    return Begin(line);
                case ';':
                    File.Advance(1);
                    var text = File.ReadLine();
                    if (comment is null)
                        (comment, _headerLine) = (text.ToArray(), line);
                    break;
                case var other when comment is null || _seenNew:
                    throw File.Malformed(line, $"{LetterFile.Show(other)} at the start of a record; expected '>'.");
                default:
                    SetHeader(comment);
                    _old = true;
                    return Begin(_headerLine);
            }
        }
    }

    private bool Begin(long line)
    {
        _headerLine = line;
        _atLineStart = true;
        _lettersInRecord = false;
        return true;
    }
}
