using System.Text.RegularExpressions;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>What README and docs show compiles and runs, and their links lead somewhere.</summary>
public sealed class DocumentationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-docs-").FullName;

    public static TheoryData<string> PagesWithPrograms => new(Pages().Where(page => !DocumentProgram.Of(page).IsEmpty));

    [Theory]
    [MemberData(nameof(PagesWithPrograms))]
    public void The_program_on_a_page_compiles_and_runs(string page)
    {
        SplicedSequences.Write(Path.Combine(_folder, "train.tsv"), count: 100, seed: 1);
        SplicedSequences.Write(Path.Combine(_folder, "test.tsv"), count: 40, seed: 2);

        var output = DocumentProgram.Run(DocumentProgram.Of(page).Compile(), _folder);

        Assert.NotEqual("", output);
    }

    [Fact]
    public void Links_between_pages_lead_to_files()
    {
        var dead = Pages().SelectMany(page => Regex.Matches(RepositoryFiles.Read(page), @"\]\((?!https?:|#)([^)#\s]+)")
            .Select(link => (page, target: Path.Combine(Path.GetDirectoryName(RepositoryFiles.PathOf(page))!, link.Groups[1].Value))))
            .Where(link => !File.Exists(link.target) && !Directory.Exists(link.target))
            .Select(link => $"{link.page}: {link.target}");

        Assert.Empty(dead);
    }

    [Fact]
    public void Every_setting_of_a_training_run_is_in_the_docs()
    {
        var text = string.Concat(Pages().Where(page => page.StartsWith("docs/", StringComparison.Ordinal)).Select(RepositoryFiles.Read));
        var settings = new[] { typeof(MambaTrainingOptions), typeof(MambaConfig) }
            .SelectMany(type => type.GetProperties().Where(p => p.CanWrite).Select(p => p.Name));
        var missing = settings.Where(name => !text.Contains($"`{name}`", StringComparison.Ordinal)).ToArray();

        Assert.Empty(missing);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<string> Pages() =>
        RepositoryFiles.Below(".", ".md").Where(f => !f.Contains("__snapshots__", StringComparison.Ordinal));
}
