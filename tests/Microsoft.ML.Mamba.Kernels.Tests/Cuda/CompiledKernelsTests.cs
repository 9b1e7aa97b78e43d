using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public sealed class CompiledKernelsTests : IDisposable
{
    private static readonly byte[] Image = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];

    private readonly Compiler.TemporaryFolder _folder = Compiler.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_stored_is_found_and_nothing_else()
    {
        var cache = new CompiledKernels(_folder.In("new/folder"));
        Assert.Null(cache.Find("key"));

        cache.Store("key", Image);

        Assert.Equal(Image, cache.Find("key"));
        Assert.Null(cache.Find("other"));
    }

    [Fact]
    public void A_damaged_file_is_not_found_wherever_it_is_damaged()
    {
        var cache = new CompiledKernels(_folder.Path);
        cache.Store("key", Image);
        var whole = File.ReadAllBytes(cache.FileOf("key"));
        foreach (var length in new[] { 0, 1, 31, 32, 33, whole.Length - 1 })
        {
            File.WriteAllBytes(cache.FileOf("key"), whole[..length]);
            Assert.Null(cache.Find("key"));
        }

        foreach (var position in new[] { 0, 31, 32, 500, whole.Length - 1 })
        {
            var damaged = whole.ToArray();
            damaged[position] ^= 0x10;
            File.WriteAllBytes(cache.FileOf("key"), damaged);
            Assert.Null(cache.Find("key"));
        }

        File.WriteAllBytes(cache.FileOf("key"), [.. whole, 0]);
        Assert.Null(cache.Find("key"));
        File.WriteAllBytes(cache.FileOf("other"), whole);
        Assert.Null(cache.Find("other"));
        cache.Store("key", Image);
        Assert.Equal(Image, cache.Find("key"));
    }

    [Fact]
    public void Many_writers_and_readers_meet_without_half_files()
    {
        var cache = new CompiledKernels(_folder.Path);
        cache.Store("key", Image);

        Parallel.For(0, 200, i =>
        {
            if (i % 2 == 0)
            {
                cache.Store("key", Image);
            }

            Assert.Equal(Image, cache.Find("key"));
        });

        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_no_error()
    {
        _folder.With("file");
        var cache = new CompiledKernels(_folder.In("file/below"));

        cache.Store("key", Image);

        Assert.Null(cache.Find("key"));
    }

    [Fact]
    public void Without_a_home_folder_nothing_is_kept()
    {
        var cache = new CompiledKernels(Path.Combine("", "relative"));

        cache.Store("key", Image);

        Assert.Null(cache.Find("key"));
        Assert.False(Directory.Exists("relative"));
    }

    [Fact]
    public void Each_thing_that_decides_the_result_changes_the_key()
    {
        string Key(string version = "11.8", string option = "-DREAL=float", string name = "a.cu", string text = "x", params CudaSource[] more) =>
            CompiledKernels.Key(new Version(version), ["--std=c++17", option], [new CudaSource(name, text), .. more]);

        string[] keys = [Key(), Key("12.8"), Key(option: "-DREAL=bf16"), Key(name: "b.cu"), Key(text: "y"), Key(more: new CudaSource("h.cuh", "")), Key(name: "a.c", text: "ux")];

        Assert.Equal(keys.Distinct(), keys);
        Assert.Equal(Key(), Key());
    }
}
