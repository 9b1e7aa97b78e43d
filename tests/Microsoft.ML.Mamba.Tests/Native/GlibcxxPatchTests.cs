using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Tests.Native;

public class GlibcxxPatchTests
{
    [SkippableFact]
    public void The_real_file_asks_for_the_version_because_of_one_undefined_function()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        var elf = new ElfFile(NativeFiles.Library);

        ElfFile.NeededVersion version = elf.NeededVersionList().Single(v => v.Name == GlibcxxPatch.Version);
        ElfFile.Symbol symbol = elf.FindSymbol(GlibcxxPatch.Symbol);

        Assert.Equal(("libstdc++.so.6", 0), (version.File, version.Flags));
        Assert.Equal((0, version.Index), (symbol.SectionIndex, symbol.VersionIndex));
    }

    [SkippableFact]
    public void The_patched_function_is_a_hidden_return_of_the_file_itself()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        var elf = new ElfFile(Patched());

        ElfFile.Symbol symbol = elf.FindSymbol(GlibcxxPatch.Symbol);

        Assert.Equal((0x12, 2, 1), (symbol.Info, symbol.Visibility, symbol.VersionIndex));
        Assert.NotEqual(0, symbol.SectionIndex);
        Assert.Equal((0xC3, true), elf.At(symbol.Value));
    }

    [SkippableFact]
    public void The_patched_file_needs_the_version_weakly_and_all_others_as_before()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        var expected = new ElfFile(NativeFiles.Library).NeededVersionList()
            .Select(v => v.Name == GlibcxxPatch.Version ? v with { Flags = 2 } : v);

        Assert.Equal(expected, new ElfFile(Patched()).NeededVersionList());
    }

    [SkippableFact]
    public void Nothing_but_the_symbol_its_version_and_the_flag_changes()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        byte[] original = NativeFiles.Library, patched = Patched();

        int changed = original.Zip(patched).Count(pair => pair.First != pair.Second);

        Assert.Equal(original.Length, patched.Length);
        Assert.InRange(changed, 1, 24 + 2 + 2);
    }

    [SkippableFact]
    public void A_patched_file_is_not_patched_again()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);

        Assert.Null(GlibcxxPatch.TryApply(Patched(), out string? reason));

        Assert.Equal($"it has no symbol {GlibcxxPatch.Symbol}", reason);
    }

    [SkippableFact]
    public void Another_library_is_refused_and_left_as_it_is()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        byte[] other = NativeFiles.Other, before = (byte[])other.Clone();

        Assert.Null(GlibcxxPatch.TryApply(other, out string? reason));

        Assert.Equal($"it does not ask for {GlibcxxPatch.Version}", reason);
        Assert.Equal(before, other);
    }

    [SkippableFact]
    public void A_file_in_which_a_second_function_needs_the_version_is_refused()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        byte[] library = (byte[])NativeFiles.Library.Clone();
        var elf = new ElfImage(library);
        ElfFile.Symbol symbol = new ElfFile(library).FindSymbol(GlibcxxPatch.Symbol);
        elf.At(elf.Find(".gnu.version").FileOffset + 2 * (symbol.Index - 1), 2)[0] = (byte)symbol.VersionIndex;

        Assert.Null(GlibcxxPatch.TryApply(library, out string? reason));

        Assert.StartsWith($"{GlibcxxPatch.Version} is needed by", reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_truncated_file_is_refused_wherever_it_ends()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        byte[] library = NativeFiles.Library;
        int[] ends = [.. Enumerable.Range(0, 70), .. Enumerable.Range(1, 60).Select(i => (int)(library.Length * (long)i / 61)), library.Length - 1];

        Assert.All(ends, end =>
        {
            Assert.Null(GlibcxxPatch.TryApply(library[..end], out string? reason));
            Assert.NotNull(reason);
        });
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] garbage = new byte[random.Next(4096)];
            random.NextBytes(garbage);
            "\u007fELF\u0002\u0001"u8[..Math.Min(6, garbage.Length)].CopyTo(garbage);

            Assert.Null(GlibcxxPatch.TryApply(garbage, out _));
        }
    }

    [SkippableFact]
    public void Altered_tables_are_refused_or_patched_but_never_crash()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        byte[] library = NativeFiles.Library;
        var elf = new ElfImage(library);
        ElfImage.Section needed = elf.Find(".gnu.version_r");
        int sections = (int)elf.UInt64(40);
        var random = new Random(2);

        for (int i = 0; i < 300; i++)
        {
            byte[] altered = (byte[])library.Clone();
            for (int flips = random.Next(1, 20); flips > 0; flips--)
            {
                int at = random.Next(3) switch
                {
                    0 => random.Next(64),
                    1 => sections + random.Next(library.Length - sections),
                    _ => needed.FileOffset + random.Next(needed.Size),
                };
                altered[at] = (byte)random.Next(256);
            }

            byte[]? patched = GlibcxxPatch.TryApply(altered, out string? reason);
            Assert.True(patched is null == reason is not null);
        }
    }

    private static byte[] Patched() => GlibcxxPatch.TryApply(NativeFiles.Library, out _) ?? throw new InvalidOperationException("not patched");
}
