using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.Mamba.Native;

/// <summary>What loading libtorch led to.</summary>
/// <param name="TorchSharpLibrary">Where TorchSharp's native library was loaded from; null when the system found it itself.</param>
/// <param name="Patched">Whether that is a copy patched by <see cref="GlibcxxPatch"/>.</param>
/// <param name="Failure">Why nothing was loaded; null after success.</param>
internal sealed record LibTorchLoad(string? TorchSharpLibrary, bool Patched, MambaNativeLibraryException? Failure);

/// <summary>
/// Loads libtorch and TorchSharp's native library, once per process, before any TorchSharp type is used; on Linux with an
/// older libstdc++ through <see cref="GlibcxxPatch"/>. TorchSharp then finds them loaded, by their sonames.
/// </summary>
/// <remarks>
/// On Linux the environment variable <see cref="FolderVariable"/> names a folder whose libtorch is taken instead of the
/// application's, for example that of an installed PyTorch (<c>site-packages/torch/lib</c>): so an application without a
/// libtorch package runs on a GPU machine that has PyTorch. TorchSharp's own library always is the application's.
/// </remarks>
internal static class LibTorchLoader
{
    /// <summary>The environment variable that names a folder with another libtorch.</summary>
    public const string FolderVariable = "MAMBA_LIBTORCH";

    private static readonly Lazy<LibTorchLoad> Once = new(Load);

    /// <summary>How loading went; loads if nobody has yet, never throws.</summary>
    public static LibTorchLoad Result => Once.Value;

    /// <summary>Loads libtorch if nobody has yet. Cheap when called again, from any thread.</summary>
    /// <exception cref="MambaNativeLibraryException">libtorch is missing or cannot be loaded; the message says why and what helps.</exception>
    public static void EnsureLoaded()
    {
        if (Once.Value.Failure is { } failure)
            throw new MambaNativeLibraryException(failure.Message, failure.SearchedFolders, failure);
    }

    private static LibTorchLoad Load()
    {
        Assembly torchSharp = typeof(torch).Assembly; // does not run torch's static constructor
        NativeFolders folders = NativeFolders.OfThisProcess(torchSharp.Location);
        try
        {
            OpenMpSettings.Apply();
            LibTorchLoad load = OperatingSystem.IsLinux()
                ? LoadOnLinux(folders, PatchedCopy.OfCurrentUser, VersionOf(torchSharp), Environment.GetEnvironmentVariable(FolderVariable))
                : LoadByName(folders, torchSharp);
            TorchThreadTeam.Join();
            return load;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // EnsureLoaded has one way to fail, whatever it was: a folder that may not be read, a full disk, …
            var failure = e as MambaNativeLibraryException
                ?? new LoadFailure(NativeFolders.RuntimeIdentifier, VersionOf(torchSharp), [], e.Message, null, folders.All).ToException(e);
            return new LibTorchLoad(null, false, failure);
        }
    }

    /// <summary>Loads from the given folders by absolute path, in the order in which the libraries need each other.</summary>
    /// <param name="folders">Where the application's libraries are.</param>
    /// <param name="copies">The cache of patched copies.</param>
    /// <param name="torchSharpVersion">For messages.</param>
    /// <param name="libTorchFolder">The folder whose libtorch is taken instead; null or empty: the application's.</param>
    internal static LibTorchLoad LoadOnLinux(NativeFolders folders, PatchedCopy copies, string torchSharpVersion, string? libTorchFolder = null)
    {
        const string name = "libLibTorchSharp.so";
        if (NativeLibrary.TryLoad(name, out _))
            return new LibTorchLoad(null, false, null); // loaded by the application, or on the system's own search path

        NativeFolders torch = string.IsNullOrEmpty(libTorchFolder) ? folders : Named(libTorchFolder);
        string? library = folders.Find(name), libtorch = torch.Find("libtorch.so"), cpu = torch.Find("libtorch_cpu.so");
        var found = new[] { (name, library), ("libtorch_cpu.so", cpu), ("libtorch.so", libtorch) };
        string? refusal = null;
        try
        {
            if (library is null || libtorch is null || cpu is null)
                throw Failure(null, null);

            // Those for CUDA are there in builds for it alone; libtorch.so needs them, and TorchSharp asks for them by name.
            string?[] dependencies = [torch.Find("libgomp*.so*"), torch.Find("libc10.so"), cpu, torch.Find("libc10_cuda.so"), torch.Find("libtorch_cuda.so"), libtorch];
            foreach (string dependency in dependencies.OfType<string>())
                NativeLibrary.Load(dependency);

            try
            {
                NativeLibrary.Load(library);
                return new LibTorchLoad(library, false, null);
            }
            catch (DllNotFoundException e) when (e.Message.Contains(GlibcxxPatch.Version, StringComparison.Ordinal))
            {
                byte[] original = File.ReadAllBytes(library);
                if (GlibcxxPatch.TryApply(original, out refusal) is not { } patched)
                    throw;
                return new LibTorchLoad(copies.Load(original, patched, name), true, null);
            }
        }
        catch (Exception e) when (e is DllNotFoundException and not MambaNativeLibraryException or BadImageFormatException)
        {
            throw Failure(e, refusal);
        }

        MambaNativeLibraryException Failure(Exception? e, string? refusal) =>
            new LoadFailure(NativeFolders.RuntimeIdentifier, torchSharpVersion, found, e?.Message, refusal, [.. folders.All.Union(torch.All)]).ToException(e);
    }

    private static NativeFolders Named(string folder)
    {
        string full = Path.GetFullPath(folder);
        NativeFolders torch = NativeFolders.Of(full);
        return torch.Find("libtorch.so") is not null && torch.Find("libtorch_cpu.so") is not null
            ? torch
            : throw new MambaNativeLibraryException(
                $"{FolderVariable} must name a folder that holds libtorch.so and libtorch_cpu.so, such as site-packages/torch/lib of an installed PyTorch; "
                + $"it is '{folder}', which does not{(Directory.Exists(full) ? "" : " exist")}. Set it to such a folder, or unset it to use the application's own libtorch.",
                torch.All);
    }

    /// <summary>Elsewhere .NET's own search finds the libraries; what is ours is the explanation when it does not.</summary>
    private static LibTorchLoad LoadByName(NativeFolders folders, Assembly torchSharp)
    {
        bool windows = OperatingSystem.IsWindows();
        string cpuFile = windows ? "torch_cpu.dll" : "libtorch_cpu.dylib", bridgeFile = windows ? "LibTorchSharp.dll" : "libLibTorchSharp.dylib";
        string? bridge = folders.Find(bridgeFile);
        try
        {
            NativeLibrary.Load("torch_cpu", torchSharp, null);
            NativeLibrary.Load("LibTorchSharp", torchSharp, null);
            return new LibTorchLoad(bridge, false, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new LoadFailure(NativeFolders.RuntimeIdentifier, VersionOf(torchSharp), [(bridgeFile, bridge), (cpuFile, folders.Find(cpuFile))],
                e.Message, null, folders.All).ToException(e);
        }
    }

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "of the same version as TorchSharp";
}
