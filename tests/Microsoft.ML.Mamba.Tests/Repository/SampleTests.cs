namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>samples/DnaClassification as a user runs it, with right and with wrong input.</summary>
public sealed class SampleTests : IDisposable
{
    private readonly SampleProgram _sample = new("DnaClassification");

    [Fact]
    public void It_trains_compares_draws_saves_and_predicts()
    {
        SplicedSequences.Write(_sample.InFolder("train.tsv"), count: 200, seed: 1);
        SplicedSequences.Write(_sample.InFolder("test.tsv"), count: 80, seed: 2);

        var (exitCode, output, errors) = _sample.Run("--data", "train.tsv", "--test", "test.tsv", "--epochs", "2", "--out", "result");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("epoch 2 of 2", output);
        Assert.Contains("LightGBM", output);
        foreach (var file in new[] { "model.zip", "training-curve.png", "confusion-matrix.png" })
            Assert.True(new FileInfo(_sample.InFolder($"result/{file}")).Length > 1000, file);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var (exitCode, _, errors) = _sample.Run("--data", "nowhere.tsv", "--test", "nowhere.tsv");

        Assert.Equal(1, exitCode);
        Assert.Contains("File does not exist: 'nowhere.tsv'", errors);
    }

    [Fact]
    public void A_missing_column_is_named_together_with_those_that_there_are()
    {
        SplicedSequences.Write(_sample.InFolder("train.tsv"), count: 40, seed: 1);

        var (exitCode, _, errors) = _sample.Run("--data", "train.tsv", "--test", "train.tsv", "--sequence", "dna");

        Assert.Equal(1, exitCode);
        Assert.Contains("has no column 'dna'; its header line has: label, sequence.", errors);
    }

    [Fact]
    public void One_class_alone_is_refused()
    {
        File.WriteAllLines(_sample.InFolder("train.tsv"), ["label\tsequence", "EI\tACGT", "EI\tACGA", "EI\tACGG"]);

        var (exitCode, _, errors) = _sample.Run("--data", "train.tsv", "--test", "train.tsv");

        Assert.Equal(1, exitCode);
        Assert.Contains("class", errors);
    }

    [Fact]
    public void A_letter_that_is_no_nucleotide_is_named_with_its_row()
    {
        File.WriteAllLines(_sample.InFolder("train.tsv"), ["label\tsequence", "EI\tACGT", "IE\tAC-A", "EI\tACGG", "IE\tACGG"]);

        var (exitCode, _, errors) = _sample.Run("--data", "train.tsv", "--test", "train.tsv");

        Assert.Equal(1, exitCode);
        Assert.Contains("'-' at position 2", errors);
    }

    [Fact]
    public void Training_without_test_data_is_refused()
    {
        SplicedSequences.Write(_sample.InFolder("train.tsv"), count: 40, seed: 1);

        var (exitCode, _, errors) = _sample.Run("--data", "train.tsv");

        Assert.Equal(1, exitCode);
        Assert.Contains("--data and --test belong together", errors);
    }

    public void Dispose() => _sample.Dispose();
}
