using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Mamba;

/// <summary>The UTF-8 bytes of the text as ids 0 to 255.</summary>
internal sealed class ByteTokenizer : SequenceTokenizer
{
    internal const string TokenizerName = "bytes";

    public override string Name => TokenizerName;

    public override int VocabSize => 256;

    internal override bool ReadsLetterByLetter => true;

    internal override int TokensOf(Rune letter) => letter.Utf8SequenceLength;

    public override string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new byte[ids.Length];
        var count = 0;
        foreach (var id in ids)
        {
            if (id is >= byte.MinValue and <= byte.MaxValue)
            {
                bytes[count++] = (byte)id;
            }
        }
        return Encoding.UTF8.GetString(bytes.AsSpan(0, count));
    }

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        var count = Encoding.UTF8.GetByteCount(text);
        var bytes = ArrayPool<byte>.Shared.Rent(count);
        Encoding.UTF8.GetBytes(text, bytes);
        var start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + count);
        var target = CollectionsMarshal.AsSpan(ids)[start..];
        for (var i = 0; i < count; i++)
        {
            target[i] = bytes[i];
        }
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
