using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Tests.Native;

/// <summary>The native files of TorchSharp beside this test assembly.</summary>
internal static class NativeFiles
{
    public const string NotHere = "the patch concerns Linux on x86-64 alone";

    public static bool HasLinuxLibrary => File.Exists(PathOf("libLibTorchSharp.so"));

    public static byte[] Library => field ??= File.ReadAllBytes(PathOf("libLibTorchSharp.so"));

    public static byte[] Other => File.ReadAllBytes(PathOf("libc10.so"));

    /// <summary>A small library that needs nothing but the C library.</summary>
    public static byte[] Gomp => File.ReadAllBytes(Directory.GetFiles(AppContext.BaseDirectory, "libgomp*.so*").Single());

    /// <summary>Where this process's libtorch comes from: beside the tests, except where an environment variable names a folder.</summary>
    public static string LibTorchFolder => Environment.GetEnvironmentVariable(LibTorchLoader.FolderVariable) is { Length: > 0 } named ? named : AppContext.BaseDirectory;

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, name);
}
