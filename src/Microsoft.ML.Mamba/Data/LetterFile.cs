using System.IO.Compression;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// The bytes of a text file line by line, in blocks, so that a line may be as long as a chromosome. Files that begin as gzip does
/// are unpacked while they are read, however many members they have.
/// </summary>
internal sealed class LetterFile : IDisposable
{
    /// <summary>Bytes of a line that is read as a whole.</summary>
    public const int LongestLine = 1 << 20;

    private const int BlockSize = 1 << 16;

    private readonly Stream _stream;
    private readonly Stream? _packed;
    private readonly byte[] _block = new byte[BlockSize];
    private readonly List<byte> _line = [];
    private int _at;
    private int _end;
    private long _bytes;
    private bool _ended;

    private LetterFile(Stream stream, Stream? packed, string path) => (_stream, _packed, Path) = (stream, packed, path);

    public string Path { get; }

    /// <summary>The line that the next byte belongs to, from 1.</summary>
    public long Line { get; private set; } = 1;

    /// <exception cref="MambaSequenceFileException">It cannot be opened.</exception>
    public static LetterFile Open(string path)
    {
        try
        {
            return Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.SequentialScan), path);
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException) and not MambaSequenceFileException)
        {
            throw new MambaSequenceFileException(path, 0, $"the file cannot be opened. {e.Message}", e);
        }
    }

    /// <summary>The same of a stream that can seek; it is taken over.</summary>
    public static LetterFile Open(Stream stream, string path)
    {
        Span<byte> magic = stackalloc byte[2];
        var isGzip = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        stream.Position = 0;
        var file = isGzip ? new LetterFile(new GZipStream(stream, CompressionMode.Decompress), stream, path) : new LetterFile(stream, null, path);
        try
        {
            file.SkipByteOrderMark();
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return file;
    }

    /// <summary>The next byte, or -1 at the end of the file.</summary>
    public int Peek() => _at < _end || Fill() ? _block[_at] : -1;

    /// <summary>What is at hand of the rest of the line, without its end; empty at its end and at that of the file.</summary>
    public ReadOnlySpan<byte> Available()
    {
        if (Peek() < 0)
            return default;
        var rest = _block.AsSpan(_at, _end - _at);
        var end = rest.IndexOf((byte)'\n');
        return end < 0 ? rest : rest[..end];
    }

    /// <summary>Passes over bytes of <see cref="Available"/>.</summary>
    public void Advance(int bytes) => _at += bytes;

    /// <summary>Passes over the end of a line, if that is next.</summary>
    public bool TryEndLine()
    {
        if (Peek() != '\n')
            return false;
        _at++;
        Line++;
        return true;
    }

    /// <summary>The rest of the line, valid until the next call; its end is passed over.</summary>
    public ReadOnlySpan<byte> ReadLine()
    {
        _line.Clear();
        for (var piece = Available(); piece.Length > 0; piece = Available())
        {
            if (_line.Count + piece.Length > LongestLine)
                throw Malformed(Line, $"the line has more than {LongestLine} bytes.");
            _line.AddRange(piece);
            Advance(piece.Length);
        }
        TryEndLine();
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_line).TrimEnd((byte)'\r');
    }

    /// <summary>Passes over spaces and ends of lines.</summary>
    public void SkipBlank()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n')
        {
            if (!TryEndLine())
                Advance(1);
        }
    }

    public MambaSequenceFileException Malformed(long line, string problem) => new(Path, line, problem);

    /// <summary>How a byte is shown in an error.</summary>
    public static string Show(int value) => value switch
    {
        < 0 => "the end of the file",
        >= ' ' and <= '~' => $"'{(char)value}'",
        _ => $"the byte 0x{value:X2}",
    };

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public void Dispose() => _stream.Dispose();

    private void SkipByteOrderMark()
    {
        if (Peek() == 0xEF && _end - _at >= 3 && _block[_at + 1] == 0xBB && _block[_at + 2] == 0xBF)
            _at += 3;
    }

    private bool Fill()
    {
        if (_ended)
            return false;
        try
        {
            (_at, _end) = (0, _stream.ReadAtLeast(_block, _block.Length, throwOnEndOfStream: false));
            _bytes += _end;
            _ended = _end == 0;
            if (_ended && _packed is { } packed && !GzipEnd.IsWhole(packed, _bytes))
                throw Malformed(Line, "the gzip data end too early. The file was cut short.");
        }
        catch (Exception e) when (e is (IOException or InvalidDataException) and not MambaSequenceFileException)
        {
            throw new MambaSequenceFileException(Path, Line, $"the file cannot be read. {e.Message}", e);
        }
        return _end > 0;
    }
}
