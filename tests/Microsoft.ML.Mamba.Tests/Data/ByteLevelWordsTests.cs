using System.Text.RegularExpressions;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed partial class ByteLevelWordsTests
{
    // To .NET's expressions it is no s of another case, to those of the tokenizers library it is.
    private const char LongS = '\u017f';

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

    [Fact]
    public void Words_of_Llama_3_and_Qwen_2_are_those_of_their_expressions()
    {
        var random = new Random(6);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(12)).Select(_ => Draw(random)).Where(c => c != LongS)]);
            Assert.Equal(ThreeDigits().Matches(text).Select(m => m.Value), Words(text, WordPattern.ThreeDigits));
            Assert.Equal(OneDigit().Matches(text).Select(m => m.Value), Words(text, WordPattern.OneDigit));
        }
    }

    [Theory]
    [InlineData("We'LL 12345 a\tb\n\n  c!!\n d", "We|'LL| |123|45| a|\tb|\n\n| | c|!!\n| d")]
    [InlineData("it'\u017fx", "it|'\u017f|x")]
    [InlineData("\U0001F642\U00020000x \U0001D7D8\U0001D7D81\U0001D7D8", "\U0001F642\U00020000x| |\U0001D7D8\U0001D7D81|\U0001D7D8")]
    public void The_expression_of_Llama_3_knows_all_planes_and_the_long_s(string text, string words)
    {
        Assert.Equal(words.Split('|'), Words(text, WordPattern.ThreeDigits));
    }

    [Fact]
    public void Without_a_pattern_a_text_is_one_word()
    {
        Assert.Equal(["a b 1"], Words("a b 1", WordPattern.None));
        Assert.Empty(Words("", WordPattern.None));
    }

    [Theory]
    [InlineData("we'll've they're 'tis", "we|'ll|'ve| they|'re| '|tis")]
    [InlineData("a  b\n\n c \t", "a| | b|\n\n| c| \t")]
    [InlineData("\U00020000\u6771 \U0001D7D8x\U0001F642!", "\U00020000\u6771| \U0001D7D8|x|\U0001F642!")]
    public void Letters_and_digits_beyond_the_first_plane_count_as_such(string text, string words)
    {
        Assert.Equal(words.Split('|'), Words(text));
    }

    private static List<string> Words(string text, WordPattern pattern = WordPattern.Gpt2)
    {
        var words = new List<string>();
        foreach (var word in new ByteLevelWords(text, pattern))
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

    [GeneratedRegex(ByteLevelWords.ThreeDigitsPattern, RegexOptions.CultureInvariant)]
    private static partial Regex ThreeDigits();

    [GeneratedRegex(ByteLevelWords.OneDigitPattern, RegexOptions.CultureInvariant)]
    private static partial Regex OneDigit();
}
