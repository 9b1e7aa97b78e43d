using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// The 256 characters that stand for bytes in a byte-level vocabulary (GPT-2's table): printable Latin-1 characters for
/// themselves, the other 68 bytes for U+0100 and on, in order. A space is thus 'Ġ', a line feed 'Ċ'.
/// </summary>
internal static class ByteLevelAlphabet
{
    private const short NoByte = -1;

    private static readonly char[] CharOfByte = BuildChars();
    private static readonly short[] ByteOfChar = BuildBytes();

    internal static char ToChar(byte value) => CharOfByte[value];

    /// <summary>The UTF-8 bytes of a text, spelled as tokens are.</summary>
    internal static string Spell(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(bytes.Length, bytes, (chars, values) =>
        {
            for (var i = 0; i < chars.Length; i++)
            {
                chars[i] = CharOfByte[values[i]];
            }
        });
    }

    /// <summary>Appends the bytes that a token stands for: its characters by the table or, when one is not in it, the token's own UTF-8.</summary>
    internal static void AppendBytes(string token, List<byte> bytes)
    {
        var start = bytes.Count;
        foreach (var character in token)
        {
            if (character >= ByteOfChar.Length || ByteOfChar[character] == NoByte)
            {
                bytes.RemoveRange(start, bytes.Count - start);
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
                return;
            }
            bytes.Add((byte)ByteOfChar[character]);
        }
    }

    private static char[] BuildChars()
    {
        var chars = new char[256];
        var next = (char)256;
        for (var value = 0; value < chars.Length; value++)
        {
            chars[value] = value is >= '!' and <= '~' or >= '¡' and <= '¬' or >= '®' and <= 'ÿ' ? (char)value : next++;
        }
        return chars;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[CharOfByte.Max() + 1];
        Array.Fill(bytes, NoByte);
        for (var value = 0; value < CharOfByte.Length; value++)
        {
            bytes[CharOfByte[value]] = (short)value;
        }
        return bytes;
    }
}
