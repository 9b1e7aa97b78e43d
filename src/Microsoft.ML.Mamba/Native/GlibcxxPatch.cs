using System.Buffers.Binary;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Lets TorchSharp's <c>libLibTorchSharp.so</c> load where libstdc++ is older than GCC 13's (Debian 12, Ubuntu 22.04, RHEL 9).
/// </summary>
/// <remarks>
/// The file asks for symbol version <c>GLIBCXX_3.4.32</c> because of one function,
/// <c>std::ios_base_library_init()</c>: GCC 13 calls it to set up <c>std::cout</c> and its kin, older releases do the
/// same in static initialisers, which libtorch's own libraries, built by an older GCC, have run by then.
/// The patched copy binds that function to a bare <c>ret</c> of its own and marks the version as not required (weak).
/// Nothing else changes, and a file in which anything else needs that version is refused.
/// </remarks>
internal static class GlibcxxPatch
{
    public const string Version = "GLIBCXX_3.4.32";
    public const string Symbol = "_ZSt21ios_base_library_initv";

    private const int SymbolSize = 24;
    private const byte GlobalFunction = 0x12, Hidden = 2, Return = 0xC3;
    private const ushort GlobalVersion = 1, VersionMask = 0x7FFF, WeakVersion = 2;

    /// <summary>A patched copy of a file's bytes, or null with the reason why the file is not one that this patch knows.</summary>
    public static byte[]? TryApply(byte[] original, out string? reason)
    {
        var patched = (byte[])original.Clone();
        try
        {
            Apply(new ElfImage(patched));
            reason = null;
            return patched;
        }
        catch (InvalidDataException e)
        {
            reason = e.Message;
            return null;
        }
    }

    private static void Apply(ElfImage elf)
    {
        int needed = FindNeededVersion(elf);
        int symbol = FindOnlySymbol(elf, elf.UInt16(needed + 6));
        ElfImage.Section text = elf.Find(".text");
        int ret = elf.At(text.FileOffset, text.Size).IndexOf(Return);
        if (ret < 0)
            throw new InvalidDataException("no return instruction in .text");

        // Elf64_Sym: name (4), info (1), other (1), section index (2), value (8), size (8).
        Span<byte> entry = elf.At(elf.Find(".dynsym").FileOffset + (long)symbol * SymbolSize, SymbolSize);
        entry[4] = GlobalFunction;
        entry[5] = Hidden;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], (ushort)text.Index);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], text.Address + (ulong)ret);

        BinaryPrimitives.WriteUInt16LittleEndian(elf.At(elf.Find(".gnu.version").FileOffset + 2L * symbol, 2), GlobalVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(elf.At(needed + 4, 2), (ushort)(elf.UInt16(needed + 4) | WeakVersion));
    }

    /// <summary>The file offset of the Elf64_Vernaux (hash 4, flags 2, index 2, name 4, next 4) of <see cref="Version"/>.</summary>
    private static int FindNeededVersion(ElfImage elf)
    {
        ElfImage.Section section = elf.Find(".gnu.version_r"), strings = elf.Find(".dynstr");
        int file = section.FileOffset, end = section.FileOffset + section.Size;

        // Elf64_Verneed: version 2, count 2, file 4, aux 4, next 4. Both chains only go forward, so they end.
        while (true)
        {
            int aux = Forward(file, elf.UInt32(file + 8));
            for (int left = elf.UInt16(file + 2); left > 0; left--)
            {
                if (elf.StringAt(strings, elf.UInt32(aux + 8)) == Version)
                    return aux;
                if (elf.UInt32(aux + 12) == 0)
                    break;
                aux = Forward(aux, elf.UInt32(aux + 12));
            }

            if (elf.UInt32(file + 12) == 0)
                throw new InvalidDataException($"it does not ask for {Version}");
            file = Forward(file, elf.UInt32(file + 12));
        }

        int Forward(int from, uint step) =>
            step > 0 && step <= end - from ? from + (int)step : throw new InvalidDataException("its version table leads outside itself");
    }

    /// <summary>The index of <see cref="Symbol"/>, which must be undefined and the only symbol that needs the version.</summary>
    private static int FindOnlySymbol(ElfImage elf, int version)
    {
        ElfImage.Section symbols = elf.Find(".dynsym"), versions = elf.Find(".gnu.version"), strings = elf.Find(".dynstr");
        int count = symbols.Size / SymbolSize, found = -1;
        if (versions.Size / 2 != count)
            throw new InvalidDataException("its symbol and version tables differ in length");

        for (int i = 0; i < count; i++)
        {
            if ((elf.UInt16(versions.FileOffset + 2 * i) & VersionMask) != version)
                continue;

            int entry = symbols.FileOffset + i * SymbolSize;
            string name = elf.StringAt(strings, elf.UInt32(entry));
            if (name != Symbol || elf.UInt16(entry + 6) != 0)
                throw new InvalidDataException($"{Version} is needed by {name} too");
            found = i;
        }

        return found >= 0 ? found : throw new InvalidDataException($"it has no symbol {Symbol}");
    }
}
