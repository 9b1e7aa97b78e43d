using Microsoft.ML.Mamba.Native;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Native;

/// <summary>Loading happens once per process, so these facts are looked at in processes of their own.</summary>
public sealed class LibTorchLoaderTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("mamba-test-");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public async Task TorchSharp_used_through_this_library_alone_works()
    {
        FreshProcess.Outcome outcome = await FreshProcess.Run(LoadAndAdd, FreshCache());

        Assert.Equal("3", outcome.Success());
    }

    [Fact]
    public async Task TorchSharp_used_first_works_once_any_type_of_this_library_was_used()
    {
        FreshProcess.Outcome outcome = await FreshProcess.Run(TouchAndAdd, FreshCache());

        Assert.Equal("3", outcome.Success());
    }

    [Fact]
    public async Task Many_threads_may_load_at_once()
    {
        FreshProcess.Outcome outcome = await FreshProcess.Run(LoadInManyThreads, FreshCache());

        Assert.Equal("8", outcome.Success());
    }

    [Fact]
    public async Task Processes_that_start_together_on_an_empty_cache_all_load()
    {
        FreshProcess.Outcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FreshProcess.Run(LoadAndAdd, FreshCache())));

        Assert.All(outcomes, outcome => Assert.Equal("3", outcome.Success()));
    }

    [SkippableFact]
    public async Task A_damaged_cache_entry_is_rebuilt_and_loaded()
    {
        Skip.IfNot(MambaEnvironment.Diagnose().TorchSharpLibraryIsPatched, "this system's libstdc++ needs no patched copy");
        (await FreshProcess.Run(LoadAndAdd, FreshCache())).Success();
        string entry = Directory.GetFiles(_home.FullName, "libLibTorchSharp.so", SearchOption.AllDirectories).Single();
        byte[] whole = File.ReadAllBytes(entry);
        File.WriteAllBytes(entry, new byte[whole.Length]);

        Assert.Equal("3", (await FreshProcess.Run(LoadAndAdd, FreshCache())).Success());

        Assert.Equal(whole, File.ReadAllBytes(entry));
    }

    [SkippableFact]
    public async Task A_cache_that_cannot_be_written_does_not_matter()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), NativeFiles.NotHere);
        string blocked = Path.Combine(_home.FullName, "file");
        File.WriteAllText(blocked, "");

        FreshProcess.Outcome outcome = await FreshProcess.Run(LoadAndAdd, new Dictionary<string, string?> { ["XDG_DATA_HOME"] = blocked });

        Assert.Equal("3", outcome.Success());
    }

    [SkippableFact]
    public async Task An_application_without_libtorch_reads_one_exception_with_cause_and_cure()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), NativeFiles.NotHere);

        string text = (await FreshProcess.Run(LoadFromNowhere, null, _home.FullName)).Success();

        Assert.Equal(
            $"""
            Mamba needs libtorch through TorchSharp, and it could not be loaded: TorchSharp's own native library for linux-x64 is not beside the application.
            Cure: build or publish the application itself for this platform (dotnet publish -r linux-x64), and copy its whole output folder.
              libLibTorchSharp.so: not found
              libtorch_cpu.so: not found
              libtorch.so: not found
              Searched: {_home.FullName}
            """, text);
    }

    [SkippableFact]
    public async Task A_library_that_is_none_is_explained_with_its_path()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), NativeFiles.NotHere);
        foreach (string name in new[] { "libLibTorchSharp.so", "libtorch.so", "libtorch_cpu.so" })
            File.WriteAllText(Path.Combine(_home.FullName, name), "not a library");

        string text = (await FreshProcess.Run(LoadFromNowhere, null, _home.FullName)).Success();

        Assert.Contains("the system's loader refused it", text);
        Assert.Contains(Path.Combine(_home.FullName, "libtorch_cpu.so") + ": ", text);
    }

    [SkippableFact]
    public async Task A_folder_named_by_the_environment_gives_libtorch()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), NativeFiles.NotHere);
        foreach (string file in Directory.GetFiles(NativeFiles.LibTorchFolder, "*.so*").Where(file => !file.Contains("LibTorchSharp", StringComparison.Ordinal)))
            File.CreateSymbolicLink(Path.Combine(_home.FullName, Path.GetFileName(file)), file);

        FreshProcess.Outcome outcome = await FreshProcess.Run(LoadAndPrintFolder, new Dictionary<string, string?> { [LibTorchLoader.FolderVariable] = _home.FullName });

        Assert.Equal($"3 {_home.FullName}", outcome.Success());
    }

    [SkippableFact]
    public async Task A_named_folder_without_libtorch_is_refused_with_its_name()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), NativeFiles.NotHere);

        string text = (await FreshProcess.Run(LoadFromNamed, null, Path.Combine(_home.FullName, "nowhere"))).Success();

        Assert.Equal("MAMBA_LIBTORCH must name a folder that holds libtorch.so and libtorch_cpu.so, such as site-packages/torch/lib of an installed PyTorch; "
            + $"it is '{_home.FullName}/nowhere', which does not exist. Set it to such a folder, or unset it to use the application's own libtorch.", text);
    }

    private static void LoadAndPrintFolder()
    {
        MambaEnvironment.LoadLibTorch();
        bool mapped = File.ReadLines("/proc/self/maps").Any(line => line.EndsWith("libtorch_cpu.so", StringComparison.Ordinal));
        Console.WriteLine($"{torch.ones(3).sum().item<float>()} {(mapped ? Environment.GetEnvironmentVariable(LibTorchLoader.FolderVariable) : null)}");
    }

    private static void LoadFromNamed(string folder)
    {
        var exception = Assert.Throws<MambaNativeLibraryException>(() =>
            LibTorchLoader.LoadOnLinux(NativeFolders.Of(AppContext.BaseDirectory), new PatchedCopy(folder), "0.107.0", folder));
        Console.WriteLine(exception.Message);
    }

    private static void LoadAndAdd()
    {
        MambaEnvironment.LoadLibTorch();
        Add();
    }

    private static void TouchAndAdd()
    {
        _ = new MambaNativeLibraryException("touched", []);
        Add();
    }

    private static void Add() => Console.WriteLine(torch.ones(3).sum().item<float>());

    private static void LoadInManyThreads()
    {
        int loaded = 0;
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            LibTorchLoader.EnsureLoaded();
            if (torch.ones(1).item<float>() == 1)
                Interlocked.Increment(ref loaded);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Console.WriteLine(loaded);
    }

    private static void LoadFromNowhere(string folder)
    {
        var exception = Assert.Throws<MambaNativeLibraryException>(() =>
            LibTorchLoader.LoadOnLinux(NativeFolders.Of(folder), new PatchedCopy(folder), "0.107.0"));
        Console.WriteLine(exception.Message);
    }

    private Dictionary<string, string?> FreshCache() => new() { ["XDG_DATA_HOME"] = _home.FullName };
}
