namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>A sample in a process and an empty folder of its own.</summary>
internal sealed class SampleProgram(string name) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-sample-").FullName;

    public string InFolder(string file) => Path.Combine(_folder, file);

    public (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        // The sample is built beside the tests, for the same configuration: …/bin/Release/net10.0/linux-x64/.
        var tests = RepositoryFiles.PathOf("tests/Microsoft.ML.Mamba.Tests");
        var built = Path.GetRelativePath(tests, AppContext.BaseDirectory);
        var program = Path.Combine(RepositoryFiles.PathOf($"samples/{name}"), built, $"{name}.dll");
        return ConsoleProgram.Run(_folder, [program, .. arguments]);
    }

    /// <summary>Asserts that the sample ends with one line that has this text, exit code 1 and no stack trace.</summary>
    public void AssertRefuses(string reason, params string[] arguments)
    {
        var (exitCode, _, errors) = Run(arguments);

        Assert.Equal(1, exitCode);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
