namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class SequenceTokenizerTests
{
    public static TheoryData<string> Saved => new()
    {
        """{"version":1,"name":"dna","unknown":"Throw"}""",
        """{"version":1,"name":"dna","unknown":"N"}""",
        """{"version":1,"name":"bytes"}""",
    };

    [Theory]
    [MemberData(nameof(Saved))]
    public void Json_reads_back_to_the_same_tokenizer(string json)
    {
        Assert.Equal(json, SequenceTokenizer.FromJson(json).ToJson());
    }

    [Fact]
    public void The_policy_is_part_of_what_is_saved()
    {
        var lenient = SequenceTokenizer.FromJson(SequenceTokenizer.DnaWith(DnaUnknownPolicy.N).ToJson());
        var strict = SequenceTokenizer.FromJson(SequenceTokenizer.Dna.ToJson());

        Assert.Equal([4], lenient.Encode("x"));
        Assert.Throws<SequenceTokenizationException>(() => strict.Encode("x"));
    }

    [Theory]
    [InlineData("", "damaged")]
    [InlineData("[]", "damaged")]
    [InlineData("{}", "damaged")]
    [InlineData("""{"version":"one","name":"dna"}""", "damaged")]
    [InlineData("""{"version":1,"name":"dna"}""", "damaged")]
    [InlineData("""{"version":1,"name":"dna","unknown":"maybe"}""", "damaged")]
    [InlineData("""{"version":1,"name":"dna","unknown":"7"}""", "damaged")]
    [InlineData("""{"version":1,"name":"codons"}""", "names the tokenizer 'codons'; known are 'dna', 'caduceus' and 'bytes'")]
    [InlineData("""{"version":2,"name":"dna"}""", "written by a newer version (format 2, this version reads up to 1)")]
    public void Anything_else_is_a_FormatException_that_says_why(string json, string expected)
    {
        Assert.Contains(expected, Assert.Throws<FormatException>(() => SequenceTokenizer.FromJson(json)).Message);
    }

    [Fact]
    public void Letters_and_bytes_come_back_from_their_ids()
    {
        Assert.Equal("ACGTN", SequenceTokenizer.Dna.Decode(SequenceTokenizer.Dna.Encode("acgtn")));
        Assert.Equal("Gr\u00fc\u00dfe \ud83e\uddec", SequenceTokenizer.Bytes.Decode(SequenceTokenizer.Bytes.Encode("Gr\u00fc\u00dfe \ud83e\uddec")));
    }

    [Fact]
    public void Ids_without_a_token_give_no_text()
    {
        Assert.Equal("AT", SequenceTokenizer.Dna.Decode([0, 5, -1, 3]));
        Assert.Equal("ab", SequenceTokenizer.Bytes.Decode(['a', 256, -1, 'b']));
    }

    [Fact]
    public void A_file_is_read_with_or_without_a_byte_order_mark_and_named_in_errors()
    {
        var path = Path.GetTempFileName();
        try
        {
            var file = TinyTokenizer.Bytes(TinyTokenizer.Tree());
            File.WriteAllBytes(path, [0xEF, 0xBB, 0xBF, .. file]);
            var tokenizer = SequenceTokenizer.FromFile(path);
            Assert.Equal(tokenizer.Encode("the"), SequenceTokenizer.FromJson(tokenizer.ToJson()).Encode("the"));
            Assert.Equal(("bpe", 273), (tokenizer.Name, tokenizer.VocabSize));

            File.WriteAllText(path, "{}");
            Assert.StartsWith($"{path}: model is missing", Assert.Throws<FormatException>(() => SequenceTokenizer.FromFile(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Throws<FileNotFoundException>(() => SequenceTokenizer.FromFile(path));
    }
}
