namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// FASTQ: '@name description', lines of letters, '+' (and the header again, or nothing), then as many characters of quality, '!' to
/// '~', as there are letters. A record is held as a whole: its qualities come last.
/// </summary>
internal sealed class FastqReader(LetterFile file, FastaOptions options) : SequenceFileReader(file, options)
{
    private byte[] _letters = new byte[1024];
    private byte[] _quality = new byte[1024];
    private int _recordLength;
    private long _nextStart = long.MaxValue;
    private int _from;
    private int _count;
    private long _headerLine;

    public override ReadOnlySpan<byte> Letters => _letters.AsSpan(_from, _count);

    public override ReadOnlySpan<byte> Quality => _quality.AsSpan(_from, _count);

    public override bool MoveNext()
    {
        if (Options.WindowLength == 0)
        {
            if (!ReadRecord())
                return false;
            _count = _recordLength;
            return true;
        }
        // A further window of this record, unless the last one reached its end; then the next record that has a window.
        while (_nextStart >= _recordLength || Start + _count >= _recordLength || !Show(_nextStart))
        {
            if (!ReadRecord())
                return false;
            (_nextStart, Start, _count) = (0, 0, 0);
        }
        return true;
    }

    private bool Show(long start)
    {
        var count = (int)Math.Min(Options.WindowLength, _recordLength - start);
        if (count < Options.WindowLength && Options.DropShortWindows)
        {
            _nextStart = long.MaxValue;
            return false;
        }
        (Start, _from, _count, _nextStart) = (start, (int)start, count, start + Options.Stride);
        return true;
    }

    private bool ReadRecord()
    {
        File.SkipBlank();
        _headerLine = File.Line;
        if (File.Peek() < 0)
            return false;
        if (File.Peek() != '@')
            throw File.Malformed(File.Line, $"{LetterFile.Show(File.Peek())} at the start of a record; expected '@'.");
        File.Advance(1);
        var header = File.ReadLine().ToArray();
        SetHeader(header);
        ReadLetters();
        var line = File.Line;
        File.Advance(1);
        var repeated = File.ReadLine();
        if (repeated.Length > 0 && !repeated.SequenceEqual(header))
            throw File.Malformed(line, $"the line after '+' is '{LetterFile.Text(repeated)}'; expected nothing, or the header '{LetterFile.Text(header)}' again.");
        ReadQuality();
        return true;
    }

    // Up to the line that begins with '+'.
    private void ReadLetters()
    {
        _recordLength = 0;
        while (File.Peek() != '+')
        {
            if (File.Peek() < 0)
                throw File.Malformed(_headerLine, $"the file ends within the record '{Id}'; expected a line that begins with '+'.");
            while (File.Available().Length > 0)
            {
                if (_recordLength == _letters.Length)
                    Array.Resize(ref _letters, 2 * _recordLength);
                _recordLength += TakeLetters(_letters.AsSpan(_recordLength));
                if (_recordLength > Options.MaxSequenceLength)
                    throw TooLong(_headerLine, "Set a larger MaxSequenceLength.");
            }
            File.TryEndLine();
        }
    }

    private void ReadQuality()
    {
        if (_quality.Length < _letters.Length)
            _quality = new byte[_letters.Length];
        var read = 0;
        do
        {
            var line = File.Line;
            for (var piece = File.Available(); piece.Length > 0; piece = File.Available())
            {
                foreach (var character in piece)
                {
                    if (character == '\r')
                        continue;
                    if (character is < (byte)'!' or > (byte)'~')
                        throw File.Malformed(line, $"{LetterFile.Show(character)} in the quality of '{Id}'; expected '!' to '~'.");
                    if (read == _recordLength)
                        throw File.Malformed(line, FormattableString.Invariant($"the quality of '{Id}' has more than {_recordLength} characters; expected as many as letters."));
                    _quality[read++] = character;
                }
                File.Advance(piece.Length);
            }
            if (!File.TryEndLine() && read < _recordLength)
                throw File.Malformed(_headerLine, FormattableString.Invariant($"the file ends within the quality of '{Id}': {read} characters; expected {_recordLength}, as many as letters."));
        }
        while (read < _recordLength);
    }
}
