using System.Text.Json.Nodes;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>What a tokenizer.json's normalizer does, seen in the text that comes back from ids.</summary>
public sealed class TextNormalizerTests
{
    private const string Lowercase = """{"type":"Lowercase"}""";

    /// <summary>Expected as Hugging Face's library does it: each code point by its own full lower case (Unicode's SpecialCasing.txt, unconditional).</summary>
    [Theory]
    [InlineData("HELLO, World 1", "hello, world 1")]
    [InlineData("\u00c9T\u00c9 \u0416 \u01c5", "\u00e9t\u00e9 \u0436 \u01c6")]
    [InlineData("\u039f\u03a3 \u1e9e \u2126\u212a\u212b", "\u03bf\u03c3 \u00df \u03c9k\u00e5")]
    [InlineData("\u0130I\u0131", "i\u0307i\u0131")]
    [InlineData("\U00010400\U0001F642", "\U00010428\U0001F642")]
    public void Lower_case_is_that_of_each_code_point(string text, string expected)
    {
        Assert.Equal(expected, Normalized(Lowercase, text));
    }

    [Theory]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"}]}""", "e\u0301 \u00e9")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"Lowercase"},{"type":"Sequence","normalizers":[{"type":"NFD"}]}]}""", "e\u0301 \u00c9")]
    public void Steps_of_a_sequence_follow_each_other(string normalizer, string sameAs)
    {
        var tokenizer = With(normalizer);

        Assert.Equal(tokenizer.Encode(sameAs), tokenizer.Encode("E\u0301 \u00c9"));
    }

    [Theory]
    [InlineData("""{"type":"Sequence","normalizers":[]}""")]
    [InlineData("null")]
    public void Nothing_is_done_without_steps(string normalizer)
    {
        Assert.Equal("E\u0301 \u00c9", Normalized(normalizer, "E\u0301 \u00c9"));
    }

    [Fact]
    public void A_normalized_added_token_is_found_in_any_case_and_comes_back_in_lower_case()
    {
        var tokenizer = With(Lowercase, TinyTokenizer.Added(273, "<Mask>", normalized: true), TinyTokenizer.Added(274, "<End>"));

        Assert.Equal([273, 273, 274], tokenizer.Encode("<mask><MASK><End>"));
        Assert.DoesNotContain(274, tokenizer.Encode("<end>"));
        Assert.Equal("<mask><End>", tokenizer.Decode([273, 274]));
    }

    private static string Normalized(string normalizer, string text)
    {
        var tokenizer = With(normalizer);
        return tokenizer.Decode(tokenizer.Encode(text));
    }

    private static SequenceTokenizer With(string normalizer, params JsonObject[] addedTokens)
    {
        var tree = TinyTokenizer.Tree(addedTokens);
        tree["normalizer"] = JsonNode.Parse(normalizer);
        return TinyTokenizer.Create(tree);
    }
}
