using System.Text;
using Microsoft.ML.Mamba.Generation;

namespace Microsoft.ML.Mamba.Tests.Generation;

public sealed class TextPiecesTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("Grüße, 世界 und 👋🏽!")]
    public void Pieces_together_are_the_text_and_none_holds_half_a_character(string text)
    {
        var parts = PartsOf(SequenceTokenizer.Bytes.Encode(text));

        Assert.Equal(text, string.Concat(parts));
        Assert.All(parts, part => Assert.DoesNotContain('\uFFFD', part));
    }

    [Fact]
    public void Bytes_that_are_no_character_do_not_hold_back_what_follows()
    {
        byte[] bytes = [0x80, 0x80, 0x80, 0x80, 0x80, (byte)'a', 0xE4];

        var text = string.Concat(PartsOf([.. bytes.Select(b => (int)b)]));

        Assert.EndsWith("a\uFFFD", text, StringComparison.Ordinal);
        Assert.Equal(Encoding.UTF8.GetString(bytes), text);
    }

    private static List<string> PartsOf(int[] ids)
    {
        var pieces = new TextPieces(SequenceTokenizer.Bytes);
        List<string> parts = [.. ids.Select(pieces.Add)];
        parts.Add(pieces.Rest());
        return parts;
    }
}
