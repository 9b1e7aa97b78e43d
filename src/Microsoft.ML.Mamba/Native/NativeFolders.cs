using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Native;

/// <summary>The folders in which an application's native libraries may lie, in the order in which .NET looks.</summary>
internal sealed class NativeFolders
{
    private static readonly EnumerationOptions Readable = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    private NativeFolders(IEnumerable<string> folders) =>
        All = [.. folders.Where(Path.IsPathFullyQualified).Select(Path.TrimEndingDirectorySeparator).Distinct()];

    /// <summary>The folders that are looked through, whether they exist or not.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>What <c>runtimes/&lt;rid&gt;/native</c> is called for this process, e.g. <c>linux-x64</c>.</summary>
    public static string RuntimeIdentifier { get; } = PortableRuntimeIdentifier();

    public static NativeFolders Of(params IEnumerable<string> folders) => new(folders);

    /// <summary>The folders of this process.</summary>
    /// <param name="torchSharpAssembly">The path of TorchSharp.dll; empty when it is part of a single file.</param>
    public static NativeFolders OfThisProcess(string torchSharpAssembly)
    {
        var folders = new List<string>();
        AddApplication(folders, AppContext.BaseDirectory);
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string known)
            folders.AddRange(known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));

        // Under a test host or a plug-in host the application's folder is the host's.
        foreach (string assembly in new[] { torchSharpAssembly, typeof(NativeFolders).Assembly.Location })
        {
            if (Path.GetDirectoryName(assembly) is { Length: > 0 } folder)
                AddApplication(folders, folder);
        }

        folders.AddRange(PackageFolders(torchSharpAssembly));
        return new NativeFolders(folders);
    }

    /// <summary>The first file of that name (or pattern, such as <c>libgomp*.so*</c>), or null.</summary>
    public string? Find(string pattern) =>
        All.Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, Readable).Order(StringComparer.Ordinal))
            .FirstOrDefault();

    private static void AddApplication(List<string> folders, string folder)
    {
        folders.Add(folder);
        folders.Add(Path.Combine(folder, "runtimes", RuntimeIdentifier, "native"));
    }

    /// <summary>In notebooks and scripts TorchSharp.dll is used where NuGet keeps it: packages/torchsharp/VERSION/lib/FRAMEWORK.</summary>
    private static IEnumerable<string> PackageFolders(string torchSharpAssembly)
    {
        DirectoryInfo? version = Directory.GetParent(torchSharpAssembly is "" ? "." : torchSharpAssembly)?.Parent?.Parent;
        if (version?.Parent is not { Parent: { } packages } package || !package.Name.Equals("torchsharp", StringComparison.OrdinalIgnoreCase))
            yield break;

        yield return Path.Combine(version.FullName, "runtimes", RuntimeIdentifier, "native");
        var libtorch = new DirectoryInfo(Path.Combine(packages.FullName, $"libtorch-cpu-{RuntimeIdentifier}"));
        if (!libtorch.Exists)
            yield break;
        foreach (DirectoryInfo found in libtorch.EnumerateDirectories().OrderByDescending(d => Version.TryParse(d.Name, out Version? v) ? v : new Version()))
            yield return Path.Combine(found.FullName, "runtimes", RuntimeIdentifier, "native");
    }

    private static string PortableRuntimeIdentifier()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        bool musl = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal);
        return $"{system}{(musl ? "-musl" : "")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }
}
