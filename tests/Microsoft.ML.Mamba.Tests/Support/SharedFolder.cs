namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>
/// The folder named shared beside the repository. Where it is absent, tests that read it are skipped with that reason.
/// </summary>
internal static class SharedFolder
{
    public const string SkipReason = "the folder 'shared' is not beside the repository";

    private static readonly string? Root = FindRoot();

    public static bool Exists => Root is not null;

    /// <summary>Path of something below it; skips the running test when the folder is absent.</summary>
    public static string Path(params string[] parts)
    {
        Skip.If(Root is null, SkipReason);
        return System.IO.Path.Combine([Root!, .. parts]);
    }

    private static string? FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Microsoft.ML.Mamba.sln")))
                continue;
            var shared = System.IO.Path.Combine(folder.Parent!.FullName, "shared");
            return Directory.Exists(shared) ? shared : null;
        }

        return null;
    }
}
