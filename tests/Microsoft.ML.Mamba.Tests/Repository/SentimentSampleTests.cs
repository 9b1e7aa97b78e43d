namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>samples/SentimentClassification as a user runs it, with right and with wrong input.</summary>
public sealed class SentimentSampleTests : IDisposable
{
    private readonly SampleProgram _sample = new("SentimentClassification");

    [Fact]
    public void It_trains_on_bytes_compares_saves_and_judges_what_it_is_given()
    {
        WriteReviews();

        var (exitCode, output, errors) = _sample.Run("It is not bad", "--data", "reviews.tsv", "--label", "sentiment", "--bytes", "--epochs", "1", "--out", "result");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("epoch 1 of 1", output);
        Assert.Contains("FeaturizeText", output);
        Assert.Contains("true \\ predicted", output);
        Assert.Matches(@"It is not bad  (positive|negative) \d+\.\d %, (positive|negative) \d+\.\d %", output);
        Assert.True(new FileInfo(_sample.InFolder("result/model.zip")).Length > 1000);
    }

    [Fact]
    public void It_fine_tunes_a_checkpoint()
    {
        using var checkpoint = new Pipeline.TemporaryCheckpoint();
        WriteReviews();

        var (exitCode, output, errors) = _sample.Run(
            "--data", "reviews.tsv", "--test", "reviews.tsv", "--label", "sentiment", "--checkpoint", checkpoint.Path, "--epochs", "1");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("Saved, loaded again", output);
    }

    [Fact]
    public void A_checkpoint_without_tokenizer_or_with_damaged_weights_is_refused()
    {
        using var checkpoint = new Pipeline.TemporaryCheckpoint();
        File.Delete(checkpoint.TokenizerFile);
        _sample.AssertRefuses("There is no tokenizer.json in ", "--checkpoint", checkpoint.Path);

        File.WriteAllText(Path.Combine(checkpoint.Path, "model.safetensors"), "no weights");
        _sample.AssertRefuses("model.safetensors", "--checkpoint", checkpoint.Path);
    }

    [Fact]
    public void Missing_files_columns_and_folders_are_named()
    {
        WriteReviews();

        _sample.AssertRefuses("File does not exist: 'nowhere.tsv'", "--data", "nowhere.tsv");
        _sample.AssertRefuses("Directory does not exist: 'nowhere'", "--checkpoint", "nowhere");
        _sample.AssertRefuses("has no column 'label'; its header line has: topic, sentiment, text.", "--data", "reviews.tsv");
    }

    [Fact]
    public void Options_that_exclude_each_other_are_named()
    {
        _sample.AssertRefuses("--tokens and --bytes exclude each other", "--tokens", "500", "--bytes");
        _sample.AssertRefuses("expected vocabSize from 257", "--tokens", "100");
    }

    public void Dispose() => _sample.Dispose();

    private void WriteReviews() => GeneratedReviews.Write(_sample.InFolder("reviews.tsv"), count: 200, seed: 1);
}
