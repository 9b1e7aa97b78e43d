using System.Diagnostics;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Where NVRTC, CUDA's runtime compiler, may lie: a list of folders in the order of preference.</summary>
/// <param name="named">Folder that the user named in <see cref="Variable"/>; null or empty for none.</param>
/// <param name="application">Folders of the application's native libraries.</param>
/// <param name="torch">Folders from which libtorch was loaded into this process.</param>
/// <param name="toolkits">Root folders of CUDA toolkits.</param>
internal sealed class NvrtcPlaces(string? named, IEnumerable<string> application, IEnumerable<string> torch, IEnumerable<string> toolkits)
{
    /// <summary>The environment variable that names a folder with NVRTC.</summary>
    public const string Variable = "MAMBA_NVRTC";

    private static readonly EnumerationOptions Readable = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    /// <summary>The folders that are looked through, whether they exist or not, each with what it is.</summary>
    public IReadOnlyList<(string Folder, string What)> Folders { get; } = [.. All(named, application, torch, toolkits)
        .Where(place => Path.IsPathFullyQualified(place.Folder))
        .Select(place => (Path.TrimEndingDirectorySeparator(Path.GetFullPath(place.Folder)), place.What))
        .DistinctBy(place => place.Item1)];

    /// <summary>Names that the system's loader is asked for when no folder holds the compiler.</summary>
    public static IReadOnlyList<string> LoaderNames { get; } = OperatingSystem.IsWindows()
        ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"]
        : ["libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"];

    /// <summary>The places of this process, as it is now: libtorch's are known once it is loaded.</summary>
    public static NvrtcPlaces OfThisProcess() => new(
        Environment.GetEnvironmentVariable(Variable), ApplicationFolders(), TorchFolders(), ToolkitFolders());

    /// <summary>The compiler's files, best first; they need not be loadable.</summary>
    public IEnumerable<string> Files() => Folders.SelectMany(place => FilesIn(place.Folder));

    /// <summary>Files with the functions that NVRTC gives to kernels. It asks for them by bare name, so they are loaded before.</summary>
    public static IEnumerable<string> BuiltinsBeside(string compiler) =>
        Matching(Path.GetDirectoryName(compiler)!, OperatingSystem.IsWindows() ? "nvrtc-builtins64_*.dll" : "libnvrtc-builtins*.so*");

    private static IEnumerable<string> FilesIn(string folder)
    {
        // Wheels and archives of PyTorch put a hash into the name. An ".alt" file is the same compiler for other processors' caches.
        string[] found = [.. Matching(folder, OperatingSystem.IsWindows() ? "nvrtc64_*.dll" : "libnvrtc*.so*")
            .Where(file => !Path.GetFileName(file).Contains("builtins", StringComparison.Ordinal))
            .Where(file => !Path.GetFileName(file).Contains(".alt.", StringComparison.Ordinal))];
        IEnumerable<string> usual = LoaderNames.Select(name => Path.Combine(folder, name)).Where(found.Contains);
        return usual.Concat(found.OrderDescending(StringComparer.Ordinal)).Distinct();
    }

    private static IEnumerable<string> Matching(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern, Readable).Order(StringComparer.Ordinal) : [];

    private static IEnumerable<(string Folder, string What)> All(
        string? named, IEnumerable<string> application, IEnumerable<string> torch, IEnumerable<string> toolkits)
    {
        if (!string.IsNullOrEmpty(named))
        {
            yield return (Path.GetFullPath(named), Variable);
        }

        foreach (string folder in application)
        {
            yield return (folder, "application");
        }

        foreach (string folder in torch)
        {
            yield return (folder, "libtorch");
            foreach (string packaged in PackagesOfPython(folder))
            {
                yield return (packaged, "PyTorch");
            }
        }

        foreach (string root in toolkits)
        {
            string[] below = OperatingSystem.IsWindows() ? [@"bin\x64", "bin"] : ["lib64", "lib", Path.Combine("targets", "x86_64-linux", "lib")];
            foreach (string folder in below)
            {
                yield return (Path.Combine(root, folder), "CUDA toolkit");
            }
        }
    }

    /// <summary>PyTorch's packages lie side by side: torch/lib, nvidia/cu13/lib, nvidia/cuda_nvrtc/lib.</summary>
    private static IEnumerable<string> PackagesOfPython(string torchLibraries)
    {
        if (Directory.GetParent(torchLibraries)?.Parent is not { } packages)
        {
            yield break;
        }

        string nvidia = Path.Combine(packages.FullName, "nvidia");
        string libraries = OperatingSystem.IsWindows() ? "bin" : "lib";
        foreach (string version in NewestFirst(nvidia, "cu1*").DefaultIfEmpty(Path.Combine(nvidia, "cu13")))
        {
            yield return Path.Combine(version, libraries);
        }

        yield return Path.Combine(nvidia, "cuda_nvrtc", libraries);
    }

    private static List<string> ApplicationFolders()
    {
        var folders = new List<string>();
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string processor = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        folders.Add(AppContext.BaseDirectory);
        folders.Add(Path.Combine(AppContext.BaseDirectory, "runtimes", $"{system}-{processor}", "native"));
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string known)
        {
            folders.AddRange(known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        }

        return folders;
    }

    private static IEnumerable<string> TorchFolders() => LoadedFiles()
        .Where(file => Path.GetFileName(file) is { } name
            && (name.StartsWith("libtorch", StringComparison.Ordinal) || name.StartsWith("libc10", StringComparison.Ordinal)
                || name.StartsWith("torch_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("c10", StringComparison.OrdinalIgnoreCase)))
        .Select(file => Path.GetDirectoryName(file)!)
        .Distinct();

    private static string[] LoadedFiles()
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                return [.. File.ReadLines("/proc/self/maps")
                    .Select(line => line.IndexOf('/') is > 0 and var start ? line[start..] : "")
                    .Where(file => file.Length > 0)
                    .Distinct()];
            }

            using var process = Process.GetCurrentProcess();
            return [.. process.Modules.Cast<ProcessModule>().Select(module => module.FileName)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            return []; // one place less to look at
        }
    }

    private static IEnumerable<string> ToolkitFolders()
    {
        foreach (string variable in new[] { "CUDA_PATH", "CUDA_HOME" })
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } root)
            {
                yield return root;
            }
        }

        if (OperatingSystem.IsWindows())
        {
            string programs = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
            foreach (string version in NewestFirst(Path.Combine(programs, "NVIDIA GPU Computing Toolkit", "CUDA"), "v*"))
            {
                yield return version;
            }
        }
        else
        {
            yield return "/usr/local/cuda";
            foreach (string version in NewestFirst("/usr/local", "cuda-*"))
            {
                yield return version;
            }
        }
    }

    private static IEnumerable<string> NewestFirst(string folder, string pattern) =>
        Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder, pattern, Readable)
                .OrderDescending(Comparer<string>.Create((a, b) => string.Compare(a, b, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.CompareOptions.NumericOrdering)))
            : [];
}
