using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Tests.Native;

public sealed class PatchedCopyTests : IDisposable
{
    private const string Name = "library.so";
    private static readonly byte[] Original = [1, 2, 3], Content = [4, 5, 6, 7];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mamba-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void An_entry_is_written_under_the_hash_of_the_original()
    {
        string entry = Cache().Prepare(Original, Content, Name);

        Assert.Equal(Content, File.ReadAllBytes(entry));
        Assert.Equal(Path.Combine(_folder.FullName, "cache", "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81", Name), entry);
    }

    [Fact]
    public void A_whole_entry_is_taken_as_it_is()
    {
        string entry = Cache().Prepare(Original, Content, Name);
        DateTime written = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(entry, written);

        Cache().Prepare(Original, Content, Name);

        Assert.Equal(written, File.GetLastWriteTimeUtc(entry));
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 4, 5, 6 })]
    [InlineData(new byte[] { 4, 5, 6, 8 })]
    [InlineData(new byte[] { 4, 5, 6, 7, 8 })]
    public void A_damaged_entry_is_rebuilt(byte[] damaged)
    {
        string entry = Cache().Prepare(Original, Content, Name);
        File.WriteAllBytes(entry, damaged);

        Cache().Prepare(Original, Content, Name);

        Assert.Equal(Content, File.ReadAllBytes(entry));
    }

    [Fact]
    public void Writers_at_the_same_time_leave_one_whole_entry_and_nothing_else()
    {
        byte[] large = new byte[1 << 20];
        new Random(1).NextBytes(large);

        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            Assert.Equal(large, File.ReadAllBytes(Cache().Prepare(Original, large, Name))));

        Assert.Equal([Name], Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [SkippableFact]
    public void Without_a_writable_cache_the_library_loads_from_a_temporary_folder_that_is_gone_afterwards()
    {
        Skip.IfNot(NativeFiles.HasLinuxLibrary, NativeFiles.NotHere);
        string blocked = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(blocked, "a file where the cache folder should be");
        byte[] library = NativeFiles.Gomp;

        string loaded = new PatchedCopy(blocked).Load(library, library, "libmamba-test.so");

        Assert.NotEqual(_folder.FullName, Path.GetDirectoryName(loaded));
        Assert.False(File.Exists(loaded));
        Assert.False(Directory.Exists(Path.GetDirectoryName(loaded)));
    }

    private PatchedCopy Cache() => new(Path.Combine(_folder.FullName, "cache"));
}
