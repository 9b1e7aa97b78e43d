using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Mamba.Tests.Native;

/// <summary>
/// Reads a shared library as the system's loader does, from its program headers and dynamic section; the library under
/// test reads section headers, so an error there does not hide here.
/// </summary>
internal sealed class ElfFile(byte[] bytes)
{
    private const uint Load = 1, Dynamic = 2;
    private const ulong StringTable = 5, SymbolTable = 6, SymbolVersions = 0x6ffffff0, NeededVersions = 0x6ffffffe;

    public readonly record struct Symbol(int Index, byte Info, byte Visibility, ushort SectionIndex, ulong Value, ushort VersionIndex);

    public readonly record struct NeededVersion(string File, string Name, ushort Flags, ushort Index);

    /// <summary>The symbol of that name in the dynamic symbol table.</summary>
    public Symbol FindSymbol(string name)
    {
        ulong symbols = DynamicEntry(SymbolTable), strings = DynamicEntry(StringTable), versions = DynamicEntry(SymbolVersions);
        Assert.True(strings > symbols, "this reader takes the string table to follow the symbol table");
        for (int i = 0; i < (int)((strings - symbols) / 24); i++)
        {
            int entry = FileOffset(symbols) + 24 * i;
            if (Text(FileOffset(strings) + (int)U32(entry)) == name)
                return new Symbol(i, bytes[entry + 4], bytes[entry + 5], U16(entry + 6), U64(entry + 8), U16(FileOffset(versions) + 2 * i));
        }

        throw new KeyNotFoundException(name);
    }

    public IEnumerable<NeededVersion> NeededVersionList()
    {
        int strings = FileOffset(DynamicEntry(StringTable)), file = FileOffset(DynamicEntry(NeededVersions));
        for (uint next = 1; next != 0; file += (int)next)
        {
            int aux = file + (int)U32(file + 8);
            for (int left = U16(file + 2); left > 0; left--, aux += (int)U32(aux + 12))
                yield return new NeededVersion(Text(strings + (int)U32(file + 4)), Text(strings + (int)U32(aux + 8)), U16(aux + 4), U16(aux + 6));
            next = U32(file + 12);
        }
    }

    /// <summary>The byte at a memory address and whether its segment is executable.</summary>
    public (byte Value, bool Executable) At(ulong address)
    {
        int segment = Segments().Single(h => U32(h) == Load && address >= U64(h + 16) && address < U64(h + 16) + U64(h + 32));
        return (bytes[FileOffset(address)], (U32(segment + 4) & 1) != 0);
    }

    private ulong DynamicEntry(ulong tag)
    {
        int header = Segments().Single(h => U32(h) == Dynamic);
        for (int entry = (int)U64(header + 8); U64(entry) != 0; entry += 16)
        {
            if (U64(entry) == tag)
                return U64(entry + 8);
        }

        throw new KeyNotFoundException($"dynamic entry 0x{tag:x}");
    }

    private IEnumerable<int> Segments() => Enumerable.Range(0, U16(56)).Select(i => (int)U64(32) + i * U16(54));

    private int FileOffset(ulong address)
    {
        int segment = Segments().First(h => U32(h) == Load && address >= U64(h + 16) && address < U64(h + 16) + U64(h + 32));
        return (int)(address - U64(segment + 16) + U64(segment + 8));
    }

    private string Text(int offset) => Encoding.ASCII.GetString(bytes, offset, bytes.AsSpan(offset).IndexOf((byte)0));

    private ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset));
}
