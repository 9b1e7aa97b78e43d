using System.Text;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class ByteTokenizerTests
{
    [Theory]
    [InlineData("")]
    [InlineData("plain ASCII\t\n")]
    [InlineData("Grüße, 世界, \U0001F9EC")]
    [InlineData("\0\u007f\u0080\u07ff\u0800\uffff")]
    public void Ids_are_the_UTF8_bytes(string text)
    {
        Assert.Equal(Encoding.UTF8.GetBytes(text).Select(b => (int)b), SequenceTokenizer.Bytes.Encode(text));
    }

    [Fact]
    public void Unpaired_surrogates_become_the_replacement_character()
    {
        int[] replacement = [0xEF, 0xBF, 0xBD];

        Assert.Equal([(int)'a', .. replacement, 'b'], SequenceTokenizer.Bytes.Encode("a\ud800b"));
        Assert.Equal([.. replacement], SequenceTokenizer.Bytes.Encode("\udc00"));
        Assert.Equal([.. replacement], SequenceTokenizer.Bytes.Encode("\ud83e"));
    }

    [Fact]
    public void Every_id_is_below_the_vocabulary_size()
    {
        var ids = SequenceTokenizer.Bytes.Encode(string.Concat(Enumerable.Range(1, 0xD7FF).Select(c => (char)c)));

        Assert.InRange(ids.Max(), 0, SequenceTokenizer.Bytes.VocabSize - 1);
        Assert.False(SequenceTokenizer.Bytes.HasComplement);
    }
}
