using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// The few parts of a 64-bit little-endian ELF file that <see cref="GlibcxxPatch"/> needs: its section table and names.
/// Every offset is checked against the file before use, so a truncated or altered file gives
/// <see cref="InvalidDataException"/> and never an access outside the array.
/// </summary>
internal sealed class ElfImage
{
    private const int HeaderSize = 64, SectionHeaderSize = 64, MachineX64 = 62;

    private readonly byte[] _bytes;
    private readonly Section[] _sections;
    private readonly string[] _names;

    /// <param name="bytes">The whole file; the image reads and writes this array in place.</param>
    /// <exception cref="InvalidDataException">Not a complete x86-64 ELF file with a section table.</exception>
    public ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        if (bytes.Length < HeaderSize || !bytes.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || bytes[4] != 2 || bytes[5] != 1)
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        if (UInt16(18) != MachineX64)
            throw new InvalidDataException("not an x86-64 ELF file");

        long table = Offset(40);
        int count = UInt16(60), namesIndex = UInt16(62);
        if (UInt16(58) != SectionHeaderSize || count == 0 || namesIndex >= count)
            throw new InvalidDataException("no usable section table");
        CheckRange(table, (long)count * SectionHeaderSize);

        _sections = new Section[count];
        for (int i = 0; i < count; i++)
            _sections[i] = ReadSection((int)table + i * SectionHeaderSize, i);

        Section names = _sections[namesIndex];
        _names = [.. _sections.Select(s => StringAt(names, s.NameOffset))];
    }

    /// <summary>Where a section lies in the file (<c>FileOffset</c>, <c>Size</c>) and in memory (<c>Address</c>).</summary>
    public readonly record struct Section(int Index, uint NameOffset, ulong Address, int FileOffset, int Size, uint Info);

    /// <summary>The section of that name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public Section Find(string name)
    {
        int index = Array.IndexOf(_names, name);
        return index >= 0 ? _sections[index] : throw new InvalidDataException($"no section {name}");
    }

    /// <summary>The zero-terminated string at an offset of a string section.</summary>
    public string StringAt(Section strings, uint offset)
    {
        if (offset >= strings.Size)
            throw new InvalidDataException("a name lies outside its string table");
        ReadOnlySpan<byte> rest = _bytes.AsSpan(strings.FileOffset + (int)offset, strings.Size - (int)offset);
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? Encoding.ASCII.GetString(rest[..end]) : throw new InvalidDataException("a name has no end");
    }

    public ushort UInt16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(At(offset, 2));

    public uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(At(offset, 4));

    public ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(At(offset, 8));

    /// <summary>A writable window on the file.</summary>
    public Span<byte> At(long offset, int size)
    {
        CheckRange(offset, size);
        return _bytes.AsSpan((int)offset, size);
    }

    private Section ReadSection(int header, int index)
    {
        const uint noBits = 8; // .bss: a size in memory, nothing in the file
        long offset = Offset(header + 24), size = UInt32(header + 4) == noBits ? 0 : Offset(header + 32);
        if (size > 0)
            CheckRange(offset, size);
        return new Section(index, UInt32(header), UInt64(header + 16), size > 0 ? (int)offset : 0, (int)size, UInt32(header + 44));
    }

    private long Offset(int at)
    {
        ulong value = UInt64(at);
        return value <= int.MaxValue ? (long)value : throw new InvalidDataException("an offset lies beyond the file's end");
    }

    private void CheckRange(long offset, long size)
    {
        if (offset < 0 || size < 0 || offset > _bytes.Length - size)
            throw new InvalidDataException("a part lies beyond the file's end");
    }
}
