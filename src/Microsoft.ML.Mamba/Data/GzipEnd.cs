using System.Buffers.Binary;
using System.IO.Compression;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Whether a gzip file was cut short. GZipStream takes the end of a file for the end of its data; but the last four bytes of a
/// whole file tell how long the contents of its last member are.
/// </summary>
internal static class GzipEnd
{
    private const int ShortestFile = 18, MostCandidates = 16;

    /// <param name="packed">The file, which must be able to seek; its position changes.</param>
    /// <param name="unpacked">The bytes that came out of it.</param>
    public static bool IsWhole(Stream packed, long unpacked)
    {
        if (packed.Length < ShortestFile)
            return false;
        packed.Position = packed.Length - sizeof(uint);
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        packed.ReadExactly(bytes);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        // One member: these are all bytes that came out. Several: those of the last one, which must be found first.
        return length == (uint)unpacked || LastStarts(packed).Any(start => length == (uint)UnpackedFrom(packed, start));
    }

    // Where the last member may begin, the likeliest first: other data can look like a beginning, once in 16 MB.
    private static IEnumerable<long> LastStarts(Stream packed)
    {
        var found = new Queue<long>();
        var block = new byte[1 << 16];
        long offset = 0;
        int kept = 0, read;
        packed.Position = 0;
        while ((read = packed.Read(block, kept, block.Length - kept)) > 0)
        {
            var filled = kept + read;
            for (var at = 0; at + 2 < filled; at++)
            {
                if (block[at] != 0x1F || block[at + 1] != 0x8B || block[at + 2] != 8)
                    continue;
                found.Enqueue(offset + at);
                if (found.Count > MostCandidates)
                    found.Dequeue();
            }
            kept = Math.Min(2, filled);
            block.AsSpan(filled - kept, kept).CopyTo(block);
            offset += filled - kept;
        }
        return found.Reverse();
    }

    private static long UnpackedFrom(Stream packed, long start)
    {
        packed.Position = start;
        using var member = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
        var block = new byte[1 << 16];
        long length = 0;
        try
        {
            for (int read; (read = member.Read(block)) > 0;)
                length += read;
        }
        catch (InvalidDataException)
        {
            return -1; // not a beginning
        }
        return length;
    }
}
