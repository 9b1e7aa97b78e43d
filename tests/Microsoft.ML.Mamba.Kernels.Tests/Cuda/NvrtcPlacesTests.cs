using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public sealed class NvrtcPlacesTests : IDisposable
{
    private readonly Compiler.TemporaryFolder _folder = Compiler.NewFolder();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void The_named_folder_comes_first_then_application_then_PyTorch_then_toolkits()
    {
        SkipUnlessLinux();
        _folder.With(
            "named/libnvrtc.so.12", "app/libnvrtc.so.12", "site/torch/lib/libnvrtc-b51b459d.so.12", "site/nvidia/cu13/lib/libnvrtc.so.13",
            "site/nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "cuda/lib64/libnvrtc.so");
        var places = new NvrtcPlaces(_folder.In("named"), [_folder.In("app")], [_folder.In("site/torch/lib")], [_folder.In("cuda")]);

        Assert.Equal(
            [
                "named/libnvrtc.so.12", "app/libnvrtc.so.12", "site/torch/lib/libnvrtc-b51b459d.so.12", "site/nvidia/cu13/lib/libnvrtc.so.13",
                "site/nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "cuda/lib64/libnvrtc.so",
            ],
            places.Files().Select(Relative));
    }

    [SkippableFact]
    public void Builtins_and_alternative_builds_are_no_compilers_and_usual_names_come_first()
    {
        SkipUnlessLinux();
        _folder.With("libnvrtc-builtins.so.12.8", "libnvrtc-0a1b.so.12", "libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so.12.8.93", "libnvrtc.alt.so.12", "libnvrtc_static.a");
        var places = new NvrtcPlaces(_folder.Path, [], [], []);

        Assert.Equal(["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.12.8.93", "libnvrtc-0a1b.so.12"], places.Files().Select(Relative));
        Assert.Equal(["libnvrtc-builtins.so.12.8"], NvrtcPlaces.BuiltinsBeside(_folder.In("libnvrtc.so.12")).Select(Relative));
    }

    [Fact]
    public void Files_that_do_not_load_and_every_place_are_told()
    {
        _folder.With(OperatingSystem.IsWindows() ? "app/nvrtc64_120_0.dll" : "app/libnvrtc.so.12");
        var places = new NvrtcPlaces(_folder.In("named"), [_folder.In("app")], [_folder.In("site/torch/lib")], [_folder.In("cuda")]);

        var found = Nvrtc.Load(places, out var reason);

        // A machine with CUDA in the loader's own path has a compiler all the same.
        Assert.Equal(found is null, reason.Length > 0);
        if (found is null)
        {
            Assert.All(places.Folders, place => Assert.Contains($"{place.Folder} ({place.What})", reason));
            Assert.Contains("MAMBA_NVRTC", reason);
            Assert.Contains("Found but not usable: " + _folder.In("app"), reason);
        }
    }

    [Fact]
    public void Unknown_and_relative_folders_are_left_out_and_none_is_looked_at_twice()
    {
        var places = new NvrtcPlaces("", [_folder.In("app"), "", "relative", _folder.In("app") + Path.DirectorySeparatorChar], [], []);

        Assert.Equal([(_folder.In("app"), "application")], places.Folders);
        Assert.Empty(places.Files());
    }

    [Fact]
    public void The_places_of_this_process_begin_with_the_application()
    {
        var places = NvrtcPlaces.OfThisProcess().Folders;

        Assert.Contains((Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory), "application"), places);
        Assert.Contains(places, place => place.What == "CUDA toolkit");
    }

    [SkippableFact]
    public void The_compiler_of_the_tests_knows_the_A100_and_the_H100()
    {
        var nvrtc = Compiler.SkipIfMissing();

        Assert.Contains(80, nvrtc.Architectures);
        Assert.Contains(90, nvrtc.Architectures);
        Assert.True(nvrtc.Version >= new Version(11, 8), $"NVRTC {nvrtc.Version}");
    }

    private static void SkipUnlessLinux() => Skip.IfNot(OperatingSystem.IsLinux(), "File names as they are on Linux.");

    private string Relative(string file) => Path.GetRelativePath(_folder.Path, file);
}
