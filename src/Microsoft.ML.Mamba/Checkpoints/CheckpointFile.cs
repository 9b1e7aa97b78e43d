namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A file of a checkpoint, opened only while it is read, or a caller's stream in its place, which stays open.</summary>
internal sealed class CheckpointFile
{
    private readonly string? _path;
    private readonly Stream? _stream;
    private readonly long _start;

    private CheckpointFile(string name, string? path, Stream? stream, long start, long length) =>
        (Name, _path, _stream, _start, Length) = (name, path, stream, start, length);

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>Bytes when it was first looked at.</summary>
    public long Length { get; }

    public static CheckpointFile At(string path) => new(Path.GetFileName(path), path, null, 0, new FileInfo(path).Length);

    /// <summary>The rest of a stream.</summary>
    /// <exception cref="ArgumentException">The stream cannot be read or cannot seek.</exception>
    public static CheckpointFile Of(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead || !stream.CanSeek)
        {
            throw new ArgumentException(
                $"{nameof(MambaCheckpoint)}: the stream of {name} cannot be read or cannot seek; expected one that does both, such as a FileStream or a MemoryStream.", nameof(stream));
        }

        return new CheckpointFile(name, null, stream, stream.Position, stream.Length - stream.Position);
    }

    /// <summary>Hands out the stream at its start, and closes it afterwards if it was opened for this.</summary>
    public T Read<T>(Func<Stream, T> reader)
    {
        if (_stream is not null)
        {
            _stream.Position = _start;
            return reader(_stream);
        }

        using var opened = new FileStream(_path!, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        if (opened.Length != Length)
            throw new MambaCheckpointException($"{Name}: it had {Length} bytes when it was checked and has {opened.Length} now; load the checkpoint again.");
        return reader(opened);
    }

    /// <summary>Goes to a byte of the file.</summary>
    public void Seek(Stream stream, long offset) => stream.Position = _start + offset;

    /// <summary>Some bytes of the file.</summary>
    /// <exception cref="MambaCheckpointException">It ends before them.</exception>
    public byte[] Bytes(Stream stream, long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new MambaCheckpointException($"{Name}: it should hold bytes {offset} to {offset + count}; it has {Length}. It is truncated, or altered.");
        Seek(stream, offset);
        var bytes = new byte[count];
        SafeTensorsHeader.ReadExactly(stream, bytes, Name);
        return bytes;
    }
}
