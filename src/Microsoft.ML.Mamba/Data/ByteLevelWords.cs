using System.Globalization;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Cuts a text into the words of GPT-2's pattern
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, in one pass and without copies.
/// </summary>
/// <remarks>
/// It is no <see cref="System.Text.RegularExpressions.Regex"/>, nor one of Microsoft.ML.Tokenizers' pre-tokenizers, because
/// these look at UTF-16 units: a letter beyond U+FFFF is none to them, and ids would differ from Hugging Face's.
/// </remarks>
internal ref struct ByteLevelWords
{
    private ReadOnlySpan<char> _rest;

    internal ByteLevelWords(ReadOnlySpan<char> text) => _rest = text;

    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly ByteLevelWords GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        var length = FirstWord(_rest);
        Current = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    private static int FirstWord(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }
        var start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        var kind = KindAt(text, start, out var length);
        if (kind != Kind.Space)
        {
            return Run(text, start + length, kind);
        }

        // The last of several spaces belongs to the word behind them, unless none follows.
        var end = Run(text, 0, Kind.Space);
        return end == text.Length || end == 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length == 1)
        {
            return 0;
        }
        return text[1] switch
        {
            's' or 't' or 'm' or 'd' => 2,
            'r' or 'v' when text.Length > 2 && text[2] == 'e' => 3,
            'l' when text.Length > 2 && text[2] == 'l' => 3,
            _ => 0,
        };
    }

    /// <summary>Where the run of one kind ends that goes on at <paramref name="position"/>.</summary>
    private static int Run(ReadOnlySpan<char> text, int position, Kind kind)
    {
        while (position < text.Length && KindAt(text, position, out var length) == kind)
        {
            position += length;
        }
        return position;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int position, out int length)
    {
        Rune.DecodeFromUtf16(text[position..], out var rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}
