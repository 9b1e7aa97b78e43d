using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>Tokenizers written to files and read back.</summary>
public sealed class TokenizerSavingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-tokenizer-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_learnt_tokenizer_reads_back_to_the_same_ids(bool lowercase)
    {
        var texts = Enumerable.Range(0, 300).Select(i => $"The {i} words of a text, {i * 7919 % 101} times \"quoted\" \\ \u00c9t\u00e9 \u6771\u4eac \ud83e\uddec").ToArray();
        var learnt = SequenceTokenizer.LearnBytePairs(texts, 500, lowercase);
        var path = Path.Combine(_folder, "tokenizer.json");

        learnt.Save(path);
        var read = SequenceTokenizer.FromFile(path);

        Assert.True(read.HasIdsOf(learnt));
        Assert.Equal(learnt.VocabSize, read.VocabSize);
        Assert.All(texts, text => Assert.Equal(learnt.Encode(text), read.Encode(text)));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_stream_gets_the_same_and_a_tokenizer_of_a_file_is_written_as_it_was()
    {
        var file = TinyTokenizer.Bytes(TinyTokenizer.Tree(TinyTokenizer.Added(273, "<s>")));
        using var stream = new MemoryStream();

        SequenceTokenizer.FromStream(new MemoryStream(file)).Save(stream);

        Assert.Equal(file, stream.ToArray());
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_and_stays_when_writing_fails()
    {
        var path = Path.Combine(_folder, "tokenizer.json");
        File.WriteAllText(path, "old");
        Assert.Throws<NotSupportedException>(() => SequenceTokenizer.Bytes.Save(path));
        Assert.Equal("old", File.ReadAllText(path));

        TinyTokenizer.With().Save(path);
        Assert.Equal(273, SequenceTokenizer.FromFile(path).VocabSize);

        // The place of the file is a folder: nothing is left beside it.
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "folder")).FullName;
        Assert.ThrowsAny<SystemException>(() => TinyTokenizer.With().Save(folder));
        Assert.Equal([path], Directory.GetFiles(_folder));
        Assert.Throws<DirectoryNotFoundException>(() => TinyTokenizer.With().Save(Path.Combine(_folder, "none", "tokenizer.json")));
    }

    [Fact]
    public void Tokenizers_without_a_file_say_which_have_one()
    {
        var package = SequenceTokenizer.From(BpeTokenizer.Create(new BpeOptions(new Dictionary<string, int> { ["a"] = 0, ["b"] = 1 })), 2);
        foreach (var tokenizer in new[] { SequenceTokenizer.Bytes, SequenceTokenizer.Dna, package })
        {
            var error = Assert.Throws<NotSupportedException>(() => tokenizer.Save(Path.Combine(_folder, "tokenizer.json")));
            Assert.Contains($"the tokenizer '{tokenizer.Name}' has no tokenizer.json; expected one of LearnBytePairs, FromFile or FromStream", error.Message, StringComparison.Ordinal);
            Assert.Throws<NotSupportedException>(() => tokenizer.Save(new MemoryStream()));
        }
        Assert.Empty(Directory.GetFiles(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
