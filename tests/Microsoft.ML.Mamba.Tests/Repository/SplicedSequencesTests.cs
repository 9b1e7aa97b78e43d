namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>The data that the sample simulates.</summary>
public sealed class SplicedSequencesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-splice-").FullName;

    [Fact]
    public void The_same_seed_writes_the_same_file()
    {
        Assert.Equal(Lines(400, seed: 7), Lines(400, seed: 7));
        Assert.NotEqual(Lines(400, seed: 7), Lines(400, seed: 8));
    }

    [Fact]
    public void Windows_have_60_letters_and_a_quarter_each_are_donors_and_acceptors()
    {
        var rows = Rows(400);

        Assert.All(rows, row => Assert.Matches("^[ACGT]{60}$", row.Sequence));
        Assert.Equal([("EI", 100), ("IE", 100), ("N", 200)], rows.CountBy(r => r.Label).Select(c => (c.Key, c.Value)).Order());
    }

    [Fact]
    public void Donors_have_GT_after_the_boundary_and_acceptors_AG_before_it()
    {
        var rows = Rows(400);

        Assert.All(rows.Where(r => r.Label == "EI"), r => Assert.Equal("GT", r.Sequence[30..32]));
        Assert.All(rows.Where(r => r.Label == "IE"), r => Assert.Equal("AG", r.Sequence[28..30]));
    }

    [Fact]
    public void Many_windows_without_a_boundary_have_GT_or_AG_in_the_middle_too()
    {
        var others = Rows(400).Where(r => r.Label == "N").ToArray();

        Assert.InRange(others.Count(r => r.Sequence[30..32] == "GT" || r.Sequence[28..30] == "AG"), 50, 90);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (string Label, string Sequence)[] Rows(int count) =>
        Lines(count, seed: 7).Skip(1).Select(line => line.Split('\t')).Select(cells => (cells[0], cells[1])).ToArray();

    private string[] Lines(int count, int seed)
    {
        var file = Path.Combine(_folder, "windows.tsv");
        SplicedSequences.Write(file, count, seed);
        return File.ReadAllLines(file);
    }
}
