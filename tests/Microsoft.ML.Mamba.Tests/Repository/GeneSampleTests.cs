namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>samples/GeneTagging as a user runs it, with right and with wrong input.</summary>
public sealed class GeneSampleTests : IDisposable
{
    private readonly SampleProgram _sample = new("GeneTagging");

    [Fact]
    public void It_trains_compares_draws_and_writes_genes_and_the_model_finds_them_in_another_genome()
    {
        WriteGenomes();

        var (exitCode, output, errors) = _sample.Run("--data", ".", "--epochs", "1", "--out", "result");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("epoch 1 of 1", output);
        Assert.Contains("Longest frames", output);
        foreach (var file in new[] { "model.zip", "training-curve.png", "genes.png" })
            Assert.True(new FileInfo(_sample.InFolder($"result/{file}")).Length > 1000, file);
        AssertIsGff3(_sample.InFolder("result/genes.gff3"), "test");

        File.WriteAllLines(_sample.InFolder("two.fasta"), [.. File.ReadLines(_sample.InFolder("test.fasta")), ">plasmid", "ACGTNacgt"]);
        (exitCode, output, errors) = _sample.Run("--model", "result/model.zip", "--genome", "two.fasta", "--from", "300", "--out", "found");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("in 2 sequences", output);
        Assert.True(new FileInfo(_sample.InFolder("found/genes.png")).Length > 1000);
        AssertIsGff3(_sample.InFolder("found/genes.gff3"), "test", "plasmid");
        // The same model and the same sequence: the same genes.
        Assert.Equal(Features(_sample.InFolder("result/genes.gff3")), Features(_sample.InFolder("found/genes.gff3")));
    }

    [Fact]
    public void Missing_files_and_folders_are_named()
    {
        WriteGenomes();
        File.Delete(_sample.InFolder("test.gff3"));

        _sample.AssertRefuses("Directory does not exist: 'nowhere'", "--data", "nowhere");
        _sample.AssertRefuses("has no test.gff3; expected train.fasta, train.gff3, test.fasta and test.gff3.", "--data", ".");
        _sample.AssertRefuses("File does not exist: 'nowhere.zip'", "--model", "nowhere.zip", "--genome", "test.fasta");
    }

    [Fact]
    public void A_broken_file_is_named_with_its_line()
    {
        WriteGenomes();
        var lines = File.ReadAllLines(_sample.InFolder("train.fasta"));
        File.WriteAllLines(_sample.InFolder("train.fasta"), [.. lines[..10], "ACGT1ACGT", .. lines[10..]]);
        _sample.AssertRefuses("train.fasta', line 11: ", "--data", ".");

        File.WriteAllLines(_sample.InFolder("train.fasta"), lines);
        File.AppendAllText(_sample.InFolder("test.gff3"), "test\tCDS\t1\t9\n");
        _sample.AssertRefuses("the line has 4 columns; expected 9", "--data", ".");
    }

    [Fact]
    public void Genes_of_another_genome_are_refused()
    {
        WriteGenomes();
        File.Copy(_sample.InFolder("train.gff3"), _sample.InFolder("test.gff3"), overwrite: true);
        _sample.AssertRefuses("The sequences there are 'test'; the genes lie in 'train'.", "--data", ".");

        BacterialGenome.Write(_sample.InFolder("other.fasta"), _sample.InFolder("test.gff3"), "test", length: 60_000, seed: 3);
        _sample.AssertRefuses("Is it that of another genome?", "--data", ".");

        BacterialGenome.Write(_sample.InFolder("other.fasta"), _sample.InFolder("test.gff3"), "test", length: 10_000, seed: 3);
        _sample.AssertRefuses("end with a stop codon", "--data", ".");
    }

    [Fact]
    public void Options_that_belong_together_or_exclude_each_other_are_named()
    {
        WriteGenomes();

        _sample.AssertRefuses("--model and --genome belong together", "--genome", "test.fasta");
        _sample.AssertRefuses("--data trains a model and --model uses one", "--data", ".", "--model", "train.fasta", "--genome", "test.fasta");
        _sample.AssertRefuses("train.fasta is no model that can be loaded", "--model", "train.fasta", "--genome", "test.fasta");
    }

    public void Dispose() => _sample.Dispose();

    private void WriteGenomes()
    {
        foreach (var (name, seed) in new[] { ("train", 1), ("test", 2) })
            BacterialGenome.Write(_sample.InFolder(name + ".fasta"), _sample.InFolder(name + ".gff3"), name, length: 30_000, seed);
    }

    private static string[][] Features(string path) => [.. File.ReadLines(path).Where(line => line[0] != '#').Select(line => line.Split('\t'))];

    private static void AssertIsGff3(string path, params string[] sequences)
    {
        Assert.Equal("##gff-version 3", File.ReadLines(path).First());
        Assert.Equal(sequences, File.ReadLines(path).Where(line => line.StartsWith("##sequence-region ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]));
        var features = Features(path);
        Assert.All(features, f => Assert.True(f is [_, "Mamba", "CDS", _, _, _, "+" or "-", "0", _], string.Join(' ', f)));
        Assert.All(features, f => Assert.Equal(0, (int.Parse(f[4]) - int.Parse(f[3]) + 1) % 3));
        Assert.Equal(features.Length, features.DistinctBy(f => f[8]).Count());
    }
}
