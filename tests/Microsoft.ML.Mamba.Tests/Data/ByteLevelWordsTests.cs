using System.Text.RegularExpressions;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed partial class ByteLevelWordsTests
{
    [Fact]
    public void Words_are_those_of_the_pattern()
    {
        var random = new Random(2);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => Draw(random))]);
            Assert.Equal(Gpt2().Matches(text).Select(m => m.Value), Words(text));
        }
    }

    [Theory]
    [InlineData("we'll've they're 'tis", "we|'ll|'ve| they|'re| '|tis")]
    [InlineData("a  b\n\n c \t", "a| | b|\n\n| c| \t")]
    [InlineData("\U00020000\u6771 \U0001D7D8x\U0001F642!", "\U00020000\u6771| \U0001D7D8|x|\U0001F642!")]
    public void Letters_and_digits_beyond_the_first_plane_count_as_such(string text, string words)
    {
        Assert.Equal(words.Split('|'), Words(text));
    }

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        foreach (var word in new ByteLevelWords(text))
            words.Add(word.ToString());
        return words;
    }

    // No surrogates: .NET's expressions do not know them as letters.
    private static char Draw(Random random) => random.Next(3) switch
    {
        0 => "'stremvld  \n\t\u00a0\u3000"[random.Next(15)],
        1 => (char)random.Next(0x20, 0x250),
        _ => (char)random.Next(1, 0xD800),
    };

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2();
}
