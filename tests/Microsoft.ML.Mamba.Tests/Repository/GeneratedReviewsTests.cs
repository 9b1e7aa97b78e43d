namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>The reviews that samples generate.</summary>
public sealed class GeneratedReviewsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-reviews-").FullName;

    [Fact]
    public void The_same_seed_writes_the_same_file()
    {
        Assert.Equal(Rows(seed: 7), Rows(seed: 7));
        Assert.NotEqual(Rows(seed: 7), Rows(seed: 8));
    }

    [Fact]
    public void Topics_come_equally_often_and_no_text_twice()
    {
        var rows = Rows(seed: 7);

        Assert.All(rows.CountBy(r => r.Topic), topic => Assert.Equal(50, topic.Value));
        Assert.Equal(6, rows.DistinctBy(r => r.Topic).Count());
        Assert.Equal(rows.Length, rows.DistinctBy(r => r.Text).Count());
    }

    [Fact]
    public void Both_verdicts_occur_with_the_same_words_before_but()
    {
        var starts = Rows(seed: 7).Where(r => r.Text.Contains(" but ", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(starts);
        // What stands before "but" speaks for the other verdict.
        Assert.All(starts.Where(r => r.Text.StartsWith("I love", StringComparison.Ordinal) || r.Text.StartsWith("I like", StringComparison.Ordinal)),
            r => Assert.Equal("negative", r.Sentiment));
        Assert.All(starts.Where(r => r.Text.StartsWith("I hate", StringComparison.Ordinal) || r.Text.StartsWith("I dislike", StringComparison.Ordinal)),
            r => Assert.Equal("positive", r.Sentiment));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (string Topic, string Sentiment, string Text)[] Rows(int seed)
    {
        var file = Path.Combine(_folder, "reviews.tsv");
        GeneratedReviews.Write(file, count: 300, seed);
        return [.. File.ReadAllLines(file).Skip(1).Select(line => line.Split('\t')).Select(cells => (cells[0], cells[1], cells[2]))];
    }
}
