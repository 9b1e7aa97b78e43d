namespace Microsoft.ML.Mamba.Kernels.Tests.Golden;

/// <summary>Where the reference files are: <c>shared/golden</c> beside the repository.</summary>
internal static class GoldenFolder
{
    /// <summary>Why tests that need the files are skipped.</summary>
    public const string Missing = "The reference files (shared/golden beside the repository) are not here.";

    /// <summary>The folder, or null where it is absent.</summary>
    public static string? Path { get; } = Find();

    /// <summary>Skips a test where the files are absent.</summary>
    public static void SkipIfMissing() => Skip.If(Path is null, Missing);

    /// <summary>Names (<c>folder/file</c>) of the reference files of a folder.</summary>
    public static IEnumerable<string> Names(string folder) =>
        Path is null
            ? []
            : Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), "*.safetensors")
                .Select(file => $"{folder}/{System.IO.Path.GetFileNameWithoutExtension(file)}")
                .Order(StringComparer.Ordinal);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Microsoft.ML.Mamba.sln")))
            {
                var golden = System.IO.Path.Combine(folder.Parent?.FullName ?? "", "shared", "golden");
                return Directory.Exists(golden) ? golden : null;
            }
        }

        return null;
    }
}
