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
internal static class LibTorchLoader
{
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
                ? LoadOnLinux(folders, PatchedCopy.OfCurrentUser, VersionOf(torchSharp))
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
    internal static LibTorchLoad LoadOnLinux(NativeFolders folders, PatchedCopy copies, string torchSharpVersion)
    {
        const string name = "libLibTorchSharp.so";
        if (NativeLibrary.TryLoad(name, out _))
            return new LibTorchLoad(null, false, null); // loaded by the application, or on the system's own search path

        string? library = folders.Find(name), libtorch = folders.Find("libtorch.so"), cpu = folders.Find("libtorch_cpu.so");
        var found = new[] { (name, library), ("libtorch_cpu.so", cpu), ("libtorch.so", libtorch) };
        string? refusal = null;
        try
        {
            if (library is null || libtorch is null || cpu is null)
                throw Failure(null, null);

            foreach (string? dependency in new[] { folders.Find("libgomp*.so*"), folders.Find("libc10.so"), cpu, libtorch })
            {
                if (dependency is not null)
                    NativeLibrary.Load(dependency);
            }

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
            new LoadFailure(NativeFolders.RuntimeIdentifier, torchSharpVersion, found, e?.Message, refusal, folders.All).ToException(e);
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
