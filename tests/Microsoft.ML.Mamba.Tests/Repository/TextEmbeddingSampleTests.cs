namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>samples/TextEmbedding as a user runs it, with right and with wrong input.</summary>
public sealed class TextEmbeddingSampleTests : IDisposable
{
    private readonly SampleProgram _sample = new("TextEmbedding");

    [Fact]
    public void It_learns_classifies_finds_neighbours_draws_and_saves()
    {
        GeneratedReviews.Write(_sample.InFolder("reviews.tsv"), count: 200, seed: 1);

        var (exitCode, output, errors) = _sample.Run(
            "--data", "reviews.tsv", "--label", "topic", "--epochs", "1", "--labelled", "40", "--query", "The soup was cold.", "--out", "result");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("epoch 1 of 1", output);
        Assert.Contains("FeaturizeText", output);
        Assert.Contains("Nearest to: The soup was cold.", output);
        foreach (var file in new[] { "embedding.zip", "map.png" })
            Assert.True(new FileInfo(_sample.InFolder($"result/{file}")).Length > 1000, file);
    }

    [Fact]
    public void A_checkpoint_embeds_instead()
    {
        using var checkpoint = new Pipeline.TemporaryCheckpoint();
        GeneratedReviews.Write(_sample.InFolder("reviews.tsv"), count: 100, seed: 1);

        var (exitCode, output, errors) = _sample.Run("--data", "reviews.tsv", "--label", "topic", "--labelled", "40", "--checkpoint", checkpoint.Path);

        Assert.True(exitCode == 0, errors);
        Assert.Contains("Encoder: 1 layers of 2", output);
        Assert.DoesNotContain("epoch", output);
    }

    [Fact]
    public void Missing_files_columns_and_folders_are_named()
    {
        GeneratedReviews.Write(_sample.InFolder("reviews.tsv"), count: 20, seed: 1);

        _sample.AssertRefuses("File does not exist: 'nowhere.tsv'", "--data", "nowhere.tsv");
        _sample.AssertRefuses("Directory does not exist: 'nowhere'", "--checkpoint", "nowhere");
        _sample.AssertRefuses("has no column 'label'; its header line has: topic, sentiment, text. Name the columns with --label and --text.", "--data", "reviews.tsv");
    }

    [Fact]
    public void A_checkpoint_without_tokenizer_is_refused()
    {
        using var checkpoint = new Pipeline.TemporaryCheckpoint();
        File.Delete(checkpoint.TokenizerFile);

        _sample.AssertRefuses("tokenizer.json", "--checkpoint", checkpoint.Path);
    }

    public void Dispose() => _sample.Dispose();
}
