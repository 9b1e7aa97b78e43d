using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// Where the members of a zip archive lie. Only members that are stored as they are: torch.save compresses none, and nothing that is
/// not unpacked can grow. Format: APPNOTE of PKWARE, sections 4.3 and 4.5.3 (ZIP64).
/// </summary>
internal static class ZipMembers
{
    private const int EndLength = 22;
    private const int LocatorLength = 20;
    private const int End64Length = 56;
    private const int CentralLength = 46;
    private const int LocalLength = 30;
    private const int MaxComment = ushort.MaxValue;
    private const int MaxMembers = 1 << 17;
    private const int MaxDirectory = 1 << 25;

    /// <summary>Reads and checks the directory of the archive.</summary>
    /// <returns>First byte and length of each member.</returns>
    /// <exception cref="MambaCheckpointException">The archive is damaged, or has a member that is not stored as it is.</exception>
    public static Dictionary<string, (long Offset, long Length)> Read(CheckpointFile file, Stream stream)
    {
        var (directory, size, count) = FindDirectory(file, stream);
        if (count > MaxMembers || size > MaxDirectory || size < count * CentralLength)
            throw Bad(file, $"its zip directory claims {count} members in {size} bytes; expected at most {MaxMembers} in at most {MaxDirectory} bytes.");
        var bytes = file.Bytes(stream, directory, size);
        var members = new Dictionary<string, (long Offset, long Length)>();
        var at = 0;
        for (var i = 0L; i < count; i++)
        {
            var member = ReadEntry(file, bytes, ref at);
            var offset = CheckLocal(file, stream, member, directory);
            if (!members.TryAdd(member.Name, (offset, member.Length)))
                throw Bad(file, $"member '{member.Name}' comes twice.");
        }

        CheckOverlaps(file, members);
        return members;
    }

    private static (long Offset, long Size, long Count) FindDirectory(CheckpointFile file, Stream stream)
    {
        var tailLength = Math.Min(file.Length, EndLength + MaxComment);
        var tail = file.Bytes(stream, file.Length - tailLength, tailLength);
        for (var i = tail.Length - EndLength; i >= 0; i--)
        {
            var end = tail.AsSpan(i);
            if (!end.StartsWith("PK\x05\x06"u8) || EndLength + ReadUInt16LittleEndian(end[20..]) != end.Length)
                continue;
            var (count, size, offset) = (ReadUInt16LittleEndian(end[10..]), ReadUInt32LittleEndian(end[12..]), ReadUInt32LittleEndian(end[16..]));
            if (count < ushort.MaxValue && size < uint.MaxValue && offset < uint.MaxValue)
                return (offset, size, count);
            return FindDirectory64(file, stream, file.Length - end.Length);
        }

        throw Bad(file, "it is not a zip archive, or it is truncated. Files of torch.save from before PyTorch 1.6 are not read: load and save it again with a newer PyTorch.");
    }

    private static (long Offset, long Size, long Count) FindDirectory64(CheckpointFile file, Stream stream, long end)
    {
        var locator = file.Bytes(stream, end - LocatorLength, LocatorLength);
        if (!locator.AsSpan().StartsWith("PK\x06\x07"u8))
            throw Bad(file, "its zip directory is too large for the short form, and there is no long form.");
        var record = file.Bytes(stream, ReadInt64LittleEndian(locator.AsSpan(8)), End64Length);
        if (!record.AsSpan().StartsWith("PK\x06\x06"u8))
            throw Bad(file, "the long form of its zip directory is not where it should be.");
        var (count, size, offset) = (ReadInt64LittleEndian(record.AsSpan(32)), ReadInt64LittleEndian(record.AsSpan(40)), ReadInt64LittleEndian(record.AsSpan(48)));
        return count >= 0 && size >= 0 && offset >= 0 && count <= size
            ? (offset, size, count)
            : throw Bad(file, $"its zip directory claims {count} members in {size} bytes at byte {offset}.");
    }

    private static Member ReadEntry(CheckpointFile file, byte[] directory, ref int at)
    {
        var entry = directory.AsSpan(at);
        if (entry.Length < CentralLength || !entry.StartsWith("PK\x01\x02"u8))
            throw Bad(file, "its zip directory is damaged.");
        int name = ReadUInt16LittleEndian(entry[28..]), extra = ReadUInt16LittleEndian(entry[30..]), comment = ReadUInt16LittleEndian(entry[32..]);
        if (entry.Length < CentralLength + name + extra + comment)
            throw Bad(file, "its zip directory is damaged.");
        at += CentralLength + name + extra + comment;
        var text = Encoding.UTF8.GetString(entry.Slice(CentralLength, name));
        if ((ReadUInt16LittleEndian(entry[8..]) & 1) != 0)
            throw Bad(file, $"member '{text}' is encrypted; expected plain bytes.");
        if (ReadUInt16LittleEndian(entry[10..]) is var method and not 0)
            throw Bad(file, $"member '{text}' is compressed (method {method}); expected stored bytes, as torch.save writes them.");
        long packed = ReadUInt32LittleEndian(entry[20..]), length = ReadUInt32LittleEndian(entry[24..]), offset = ReadUInt32LittleEndian(entry[42..]);
        ReadExtra64(entry.Slice(CentralLength + name, extra), ref length, ref packed, ref offset);
        if (packed != length || length < 0 || offset < 0)
            throw Bad(file, $"member '{text}' claims {length} bytes stored as {packed} at byte {offset}.");
        return new Member(text, offset, length);
    }

    /// <summary>The long form of those numbers that the short form has no room for, in this order.</summary>
    private static void ReadExtra64(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            int id = ReadUInt16LittleEndian(extra), size = ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4)
                return;
            var values = extra.Slice(4, size);
            if (id == 1)
            {
                Take(ref values, ref length);
                Take(ref values, ref packed);
                Take(ref values, ref offset);
                return;
            }

            extra = extra[(4 + size)..];
        }

        static void Take(ref ReadOnlySpan<byte> values, ref long number)
        {
            if (number != uint.MaxValue || values.Length < 8)
                return;
            number = ReadInt64LittleEndian(values);
            values = values[8..];
        }
    }

    /// <summary>The header before the member's bytes says the same, and the bytes end before the directory.</summary>
    private static long CheckLocal(CheckpointFile file, Stream stream, Member member, long directory)
    {
        var local = file.Bytes(stream, member.Header, LocalLength);
        int name = ReadUInt16LittleEndian(local.AsSpan(26)), extra = ReadUInt16LittleEndian(local.AsSpan(28));
        if (!local.AsSpan().StartsWith("PK\x03\x04"u8)
            || ReadUInt16LittleEndian(local.AsSpan(8)) != 0
            || Encoding.UTF8.GetString(file.Bytes(stream, member.Header + LocalLength, name)) != member.Name)
        {
            throw Bad(file, $"member '{member.Name}' is not where the zip directory says.");
        }

        var offset = member.Header + LocalLength + name + extra;
        if (offset > directory - member.Length)
            throw Bad(file, $"member '{member.Name}' claims {member.Length} bytes at byte {offset}; the zip directory begins at byte {directory}.");
        return offset;
    }

    private static void CheckOverlaps(CheckpointFile file, Dictionary<string, (long Offset, long Length)> members)
    {
        var (end, previous) = (0L, "");
        foreach (var (name, (offset, length)) in members.OrderBy(m => m.Value.Offset).ThenBy(m => m.Value.Length))
        {
            if (offset < end)
                throw Bad(file, $"members '{previous}' and '{name}' overlap at byte {offset}.");
            (end, previous) = (offset + length, name);
        }
    }

    private static MambaCheckpointException Bad(CheckpointFile file, string what) => new($"{file.Name}: {what}");

    private readonly record struct Member(string Name, long Header, long Length);
}
