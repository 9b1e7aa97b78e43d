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
    [InlineData("""{"version":1,"name":"codons"}""", "names the tokenizer 'codons'; known are 'dna' and 'bytes'")]
    [InlineData("""{"version":2,"name":"dna"}""", "written by a newer version (format 2, this version reads up to 1)")]
    public void Anything_else_is_a_FormatException_that_says_why(string json, string expected)
    {
        Assert.Contains(expected, Assert.Throws<FormatException>(() => SequenceTokenizer.FromJson(json)).Message);
    }
}
