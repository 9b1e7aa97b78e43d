namespace Microsoft.ML.Mamba.Data;

/// <summary>What a file of sequences holds.</summary>
internal enum SequenceFileFormat
{
    /// <summary>Nothing but white space.</summary>
    Empty,

    Fasta,
    Fastq,
}

/// <summary>
/// Rows of a FASTA or FASTQ file: records, or windows of them. Of a FASTA record that is read by windows no more than one window
/// is held at a time.
/// </summary>
internal abstract class SequenceFileReader : IDisposable
{
    private const byte Bad = 0, Skipped = 1;

    private readonly byte[] _letters = new byte[256];

    protected SequenceFileReader(LetterFile file, FastaOptions options)
    {
        (File, Options) = (file, options);
        // Codes of nucleotides and amino acids, gaps and stops.
        for (var letter = 'A'; letter <= 'Z'; letter++)
        {
            _letters[letter] = (byte)letter;
            _letters[letter | 0x20] = (byte)(options.UpperCase ? letter : letter | 0x20);
        }
        foreach (var other in "*-.")
            _letters[other] = (byte)other;
        foreach (var space in " \t\r")
            _letters[space] = Skipped;
    }

    /// <summary>The record's name, up to the first space of its header.</summary>
    public string Id { get; protected set; } = "";

    /// <summary>The rest of its header.</summary>
    public string Description { get; protected set; } = "";

    /// <summary>The letters of the row, valid until the next <see cref="MoveNext"/>.</summary>
    public abstract ReadOnlySpan<byte> Letters { get; }

    /// <summary>Their qualities, one character each; nothing in FASTA.</summary>
    public abstract ReadOnlySpan<byte> Quality { get; }

    /// <summary>The letters of the record before those of the row.</summary>
    public long Start { get; protected set; }

    protected LetterFile File { get; }

    protected FastaOptions Options { get; }

    /// <summary>What a file holds, by its first character.</summary>
    /// <exception cref="MambaSequenceFileException">It cannot be read, or holds neither.</exception>
    public static SequenceFileFormat FormatOf(LetterFile file)
    {
        file.SkipBlank();
        return file.Peek() switch
        {
            < 0 => SequenceFileFormat.Empty,
            '>' or ';' => SequenceFileFormat.Fasta,
            '@' => SequenceFileFormat.Fastq,
            var other => throw file.Malformed(file.Line, $"the file begins with {LetterFile.Show(other)}; expected '>' or ';' (FASTA) or '@' (FASTQ)."),
        };
    }

    /// <summary>The same of a file beside others, which all must hold the same; an empty one fits any.</summary>
    /// <exception cref="MambaSequenceFileException">It has another format.</exception>
    public static SequenceFileFormat FormatOf(LetterFile file, SequenceFileFormat others)
    {
        var format = FormatOf(file);
        if (format == SequenceFileFormat.Empty)
            return others;
        if (others != SequenceFileFormat.Empty && format != others)
            throw file.Malformed(file.Line, $"the file is {Name(format)}; expected {Name(others)} as in the file before it. Load them apart.");
        return format;
    }

    /// <summary>A reader of an open file; it takes the file over.</summary>
    /// <exception cref="MambaSequenceFileException">The file has another format.</exception>
    public static SequenceFileReader Create(LetterFile file, FastaOptions options, SequenceFileFormat expected)
    {
        try
        {
            FormatOf(file, expected);
            return expected == SequenceFileFormat.Fastq ? new FastqReader(file, options) : new FastaReader(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="MambaSequenceFileException">A line is malformed, or a record too long.</exception>
    public abstract bool MoveNext();

    public void Dispose() => File.Dispose();

    /// <summary>Takes letters from the rest of the line, without spaces.</summary>
    /// <param name="room">Where they go; no more than it has room for are taken.</param>
    /// <returns>How many were taken.</returns>
    protected int TakeLetters(Span<byte> room)
    {
        var piece = File.Available();
        int read = 0, taken = 0;
        for (; read < piece.Length && taken < room.Length; read++)
        {
            var letter = _letters[piece[read]];
            if (letter == Bad)
                throw File.Malformed(File.Line, $"{LetterFile.Show(piece[read])} in the sequence of '{Id}'; expected letters, '*', '-' or '.'.");
            if (letter != Skipped)
                room[taken++] = letter;
        }
        File.Advance(read);
        return taken;
    }

    protected void SetHeader(ReadOnlySpan<byte> header)
    {
        var space = header.IndexOfAny((byte)' ', (byte)'\t');
        Id = LetterFile.Text(space < 0 ? header : header[..space]);
        Description = space < 0 ? "" : LetterFile.Text(header[space..]).Trim();
    }

    protected MambaSequenceFileException TooLong(long line, string cure) => File.Malformed(line,
        FormattableString.Invariant($"the record '{Id}' has more than {Options.MaxSequenceLength} letters. {cure}"));

    private static string Name(SequenceFileFormat format) => format == SequenceFileFormat.Fasta ? "FASTA" : "FASTQ";
}
