using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Reads a WAV file (RIFF, RF64, BW64) from front to back. Every length that the file claims is compared with the length that it
/// has before anything is allocated or read by it. Chunks that are not known are passed over; the length in the file's first
/// 8 bytes is not looked at, because writers that were interrupted leave it wrong in files that are whole otherwise.
/// </summary>
internal sealed class WaveReader : IDisposable
{
    private const int ChunkHeader = 8, LongestDs64 = 28 + (12 * 1024);
    private const uint In64Bits = uint.MaxValue;

    private readonly Stream _stream;
    private readonly string _path;
    private readonly byte[] _buffer;
    private long _framesRead;

    private WaveReader(Stream stream, string path, WaveFormat format, long frames)
    {
        (_stream, _path, Format, Frames) = (stream, path, format, frames);
        _buffer = new byte[Math.Max(1, 32_768 / format.FrameBytes) * format.FrameBytes];
    }

    public WaveFormat Format { get; }

    /// <summary>Samples of each channel; at least 1.</summary>
    public long Frames { get; }

    /// <exception cref="MambaAudioException">It cannot be opened or is no WAV file that can be read.</exception>
    public static WaveReader Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 4096, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new MambaAudioException(path, $"the file cannot be opened. {e.Message}", e);
        }
        return Open(stream, path);
    }

    /// <summary>Reads the header of a file; the reader takes the stream over, even if this fails.</summary>
    /// <param name="stream">The file, which must be able to seek.</param>
    /// <param name="path">Its name, for errors.</param>
    public static WaveReader Open(Stream stream, string path)
    {
        try
        {
            return ReadHeader(stream, path);
        }
        catch (Exception e)
        {
            stream.Dispose();
            if (e is IOException and not MambaAudioException)
                throw new MambaAudioException(path, $"the file cannot be read. {e.Message}", e);
            throw;
        }
    }

    /// <summary>Reads the next samples, the mean of all channels each.</summary>
    /// <returns>How many were read: as many as there is room for, fewer only at the end.</returns>
    /// <exception cref="MambaAudioException">The file got shorter meanwhile, or a sample is not a finite number.</exception>
    public int Read(Span<float> mono)
    {
        var done = 0;
        while (done < mono.Length && _framesRead < Frames)
        {
            var frames = (int)Math.Min(Math.Min(mono.Length - done, _buffer.Length / Format.FrameBytes), Frames - _framesRead);
            var bytes = _buffer.AsSpan(0, frames * Format.FrameBytes);
            Fill(_stream, bytes, _path, "the samples");
            var bad = WaveSamples.Decode(bytes, Format, mono.Slice(done, frames));
            if (bad >= 0)
                throw new MambaAudioException(_path, $"sample {_framesRead + bad} is not a finite number; expected numbers in [-1, 1].");
            _framesRead += frames;
            done += frames;
        }
        return done;
    }

    public void Dispose() => _stream.Dispose();

    private static WaveReader ReadHeader(Stream stream, string path)
    {
        var length = stream.Length;
        if (length == 0)
            throw new MambaAudioException(path, "the file is empty; expected a WAV file.");
        Span<byte> head = stackalloc byte[12];
        if (length < head.Length)
            throw new MambaAudioException(path, $"the file has {length} bytes; expected a WAV file, whose header alone has 44.");
        Fill(stream, head, path, "the header");
        if (!(head[..4].SequenceEqual("RIFF"u8) || head[..4].SequenceEqual("RF64"u8) || head[..4].SequenceEqual("BW64"u8)) || !head[8..].SequenceEqual("WAVE"u8))
            throw new MambaAudioException(path, $"the file begins with {Show(head[..4])}, bytes 8 to 11 are {Show(head[8..])}; expected 'RIFF', 'RF64' or 'BW64', and 'WAVE'.");
        return ReadChunks(stream, length, path);
    }

    private static WaveReader ReadChunks(Stream stream, long length, string path)
    {
        WaveFormat? format = null;
        long? dataBytesIn64Bits = null;
        Span<byte> header = stackalloc byte[ChunkHeader];
        Span<byte> start = stackalloc byte[WaveFormat.LongestHeader];
        while (length - stream.Position >= ChunkHeader)
        {
            Fill(stream, header, path, "a chunk");
            var name = header[..4];
            var claimed = (long)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var isData = name.SequenceEqual("data"u8);
            if (isData && claimed == In64Bits && dataBytesIn64Bits is { } bytes)
                claimed = bytes;
            var left = length - stream.Position;
            if (claimed < 0 || claimed > left)
                throw new MambaAudioException(path, $"the chunk {Show(name)} claims {claimed} bytes, the file has {left} left. It was cut short, or its header is wrong.");
            if (isData)
                return ToData(stream, format, claimed, path);

            var next = stream.Position + claimed + (claimed & 1); // chunks stand on even bytes
            if (name.SequenceEqual("fmt "u8))
            {
                var content = start[..(int)Math.Min(claimed, start.Length)];
                Fill(stream, content, path, "the chunk 'fmt '");
                format = WaveFormat.Parse(content, path);
            }
            else if (name.SequenceEqual("ds64"u8) && claimed is >= 24 and <= LongestDs64)
            {
                var content = start[..24]; // lengths of the file, of the data, and the count of samples
                Fill(stream, content, path, "the chunk 'ds64'");
                dataBytesIn64Bits = BinaryPrimitives.ReadInt64LittleEndian(content[8..]);
            }
            if (next > length)
                break;
            stream.Position = next;
        }

        throw new MambaAudioException(path, format is null ? "there is no chunk 'fmt '; expected one before the samples." : "there is no chunk 'data'; expected one after 'fmt '.");
    }

    private static WaveReader ToData(Stream stream, WaveFormat? format, long bytes, string path)
    {
        if (format is not { } known)
            throw new MambaAudioException(path, "the chunk 'data' comes before any 'fmt '; expected 'fmt ' first.");
        if (bytes == 0)
            throw new MambaAudioException(path, "the chunk 'data' is empty; expected at least one sample.");
        if (bytes % known.FrameBytes != 0)
            throw new MambaAudioException(path, $"the chunk 'data' has {bytes} bytes; expected a multiple of {known.FrameBytes}, one sample of each of {known.Channels} channel(s).");
        return new WaveReader(stream, path, known, bytes / known.FrameBytes);
    }

    private static void Fill(Stream stream, Span<byte> bytes, string path, string what)
    {
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException e)
        {
            throw new MambaAudioException(path, $"the file ends within {what}.", e);
        }
        catch (IOException e)
        {
            throw new MambaAudioException(path, $"the file cannot be read. {e.Message}", e);
        }
    }

    private static string Show(ReadOnlySpan<byte> name) =>
        name.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? "0x" + Convert.ToHexString(name) : $"'{Encoding.ASCII.GetString(name)}'";
}
