namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>Finds the repository from the folder that the tests run in, and reads its files.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string Read(string relative) => File.ReadAllText(PathOf(relative));

    /// <summary>All files below a folder with this ending, build outputs left out, as paths relative to the root.</summary>
    public static IReadOnlyList<string> Below(string folder, string ending) =>
        Directory.EnumerateFiles(PathOf(folder), "*" + ending, SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/'))
            .Where(f => !f.Split('/').Any(part => part is "bin" or "obj" or "artifacts"))
            .Order(StringComparer.Ordinal)
            .ToArray();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.Mamba.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} contains Microsoft.ML.Mamba.sln.");
    }
}
