using System.Text;
using System.Text.RegularExpressions;

namespace Microsoft.ML.Mamba.Native;

/// <summary>Why libtorch did not load: turns what was found and what the loader said into one explanation with a cure.</summary>
/// <param name="RuntimeIdentifier">The platform of the process, e.g. <c>linux-x64</c>.</param>
/// <param name="TorchSharpVersion">The version of TorchSharp.dll, e.g. <c>0.107.0</c>.</param>
/// <param name="Libraries">The library files that were found, name → path; null where a file was not found.</param>
/// <param name="LoaderMessage">What the system's loader said about the first library that failed; null if none was tried.</param>
/// <param name="PatchRefusal">Why <see cref="GlibcxxPatch"/> did not apply; null where it was not tried.</param>
/// <param name="SearchedFolders">The folders that were looked through.</param>
internal sealed partial record LoadFailure(
    string RuntimeIdentifier,
    string TorchSharpVersion,
    IReadOnlyList<(string Name, string? Path)> Libraries,
    string? LoaderMessage,
    string? PatchRefusal,
    IReadOnlyList<string> SearchedFolders)
{
    private static readonly string[] Supported = ["linux-x64", "osx-arm64", "win-arm64", "win-x64"];

    public MambaNativeLibraryException ToException(Exception? inner = null) => new(Explain(), SearchedFolders, inner);

    private string Explain()
    {
        (string cause, string cure) = CauseAndCure();
        var text = new StringBuilder();
        text.Append("Mamba needs libtorch through TorchSharp, and it could not be loaded: ").Append(cause).AppendLine()
            .Append("Cure: ").Append(cure).AppendLine();
        foreach ((string name, string? path) in Libraries)
            text.Append("  ").Append(name).Append(": ").AppendLine(path ?? "not found");
        if (LoaderMessage is not null)
            text.Append("  The system's loader said: ").AppendLine(LoaderMessage.Trim());
        text.Append("  Searched: ").Append(string.Join(", ", SearchedFolders));
        return text.ToString();
    }

    private (string Cause, string Cure) CauseAndCure()
    {
        if (!Supported.Contains(RuntimeIdentifier))
            return ($"TorchSharp has no native library for {RuntimeIdentifier}.",
                $"run on one of {string.Join(", ", Supported)} (64-bit process; Linux with glibc, not musl).");
        if (Libraries.Any(l => l.Path is null && l.Name.Contains("LibTorchSharp", StringComparison.Ordinal)))
            return ($"TorchSharp's own native library for {RuntimeIdentifier} is not beside the application.",
                $"build or publish the application itself for this platform (dotnet publish -r {RuntimeIdentifier}), and copy its whole output folder.");
        if (Libraries.Any(l => l.Path is null))
            return ("the application references no libtorch package.",
                $"add one to the application's project: dotnet add package TorchSharp-cpu --version {TorchSharpVersion} (or TorchSharp-cuda-linux, TorchSharp-cuda-windows).");
        return FromLoaderMessage(LoaderMessage ?? "");
    }

    private (string Cause, string Cure) FromLoaderMessage(string said)
    {
        if (NotFoundVersion().Match(said) is { Success: true } missing)
            return missing.Groups["library"].Value is "GLIBC" ? OldGlibc(missing.Groups["version"].Value) : OldLibstdcxx(missing.Groups["version"].Value);
        if (MissingDependency().Match(said) is { Success: true } dependency)
            return ($"a library that it depends on, {dependency.Groups[1].Value}, is not installed.",
                "install it with the system's package manager (libstdc++.so.6: libstdc++6 or libstdc++; libgomp.so.1: libgomp1 or libgomp).");
        if (said.Contains("failed to map segment", StringComparison.Ordinal))
            return ("the file system that holds it forbids executable code (noexec).", "place the application in a folder whose file system allows it.");
        if (said.Contains("undefined symbol", StringComparison.Ordinal))
            return ("libtorch and TorchSharp are of different versions.",
                $"reference TorchSharp and its libtorch package in the same version, {TorchSharpVersion}.");
        return ("the system's loader refused it.", "see the loader's own message below.");
    }

    private static (string, string) OldGlibc(string version) =>
        ($"this Linux is too old, its C library lacks {version}.",
         "use Debian 12, Ubuntu 22.04, RHEL 9, Fedora 35, SLES 15 SP6 or newer, or a container image of one (glibc 2.34).");

    private (string, string) OldLibstdcxx(string version) =>
        ($"the system's C++ library lacks {version}" + (PatchRefusal is null ? "." : $", and this libLibTorchSharp.so is not the one that can be adapted ({PatchRefusal})."),
         "install a libstdc++ of GCC 13 or newer (Debian 13, Ubuntu 24.04, RHEL 10 and Fedora 38 have it), or use the TorchSharp version that this library was built with.");

    [GeneratedRegex("version [`'](?<version>(?<library>[A-Z]+)_[0-9.]+)' not found")]
    private static partial Regex NotFoundVersion();

    [GeneratedRegex("([^ :'/]+): cannot open shared object file")]
    private static partial Regex MissingDependency();
}
