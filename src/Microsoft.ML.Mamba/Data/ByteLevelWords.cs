using System.Globalization;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Cuts a text into words, in one pass and without copies: those of GPT-2's pattern
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, or of <see cref="OneDigitPattern"/> or
/// <see cref="ThreeDigitsPattern"/>.
/// </summary>
/// <remarks>
/// It is no <see cref="System.Text.RegularExpressions.Regex"/>, nor one of Microsoft.ML.Tokenizers' pre-tokenizers, because
/// these look at UTF-16 units: a letter beyond U+FFFF is none to them, and ids would differ from Hugging Face's.
/// </remarks>
internal ref struct ByteLevelWords
{
    /// <summary>The expression of <see cref="WordPattern.OneDigit"/> as files spell it.</summary>
    internal const string OneDigitPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The expression of <see cref="WordPattern.ThreeDigits"/> as files spell it.</summary>
    internal const string ThreeDigitsPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly WordPattern _pattern;
    private ReadOnlySpan<char> _rest;

    internal ByteLevelWords(ReadOnlySpan<char> text, WordPattern pattern = WordPattern.Gpt2)
    {
        _rest = text;
        _pattern = pattern;
    }

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
        var length = _pattern switch
        {
            WordPattern.None => _rest.Length,
            WordPattern.Gpt2 => FirstWord(_rest),
            _ => FirstWord(_rest, mostDigits: _pattern == WordPattern.OneDigit ? 1 : 3),
        };
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

        return Spaces(text, Run(text, 0, Kind.Space));
    }

    private static int FirstWord(ReadOnlySpan<char> text, int mostDigits)
    {
        var contraction = ContractionOfAnyCase(text);
        if (contraction > 0)
        {
            return contraction;
        }
        var kind = KindAt(text, 0, out var length);
        if (kind == Kind.Letter)
        {
            return Run(text, length, Kind.Letter);
        }
        if (kind == Kind.Number)
        {
            return Run(text, length, Kind.Number, mostDigits - 1);
        }
        var next = length < text.Length ? KindAt(text, length, out _) : Kind.Space;
        if (next == Kind.Letter && text[0] is not ('\r' or '\n'))
        {
            return Run(text, length, Kind.Letter); // any one character before letters belongs to them
        }
        if (kind == Kind.Other || (text[0] == ' ' && next == Kind.Other))
        {
            var other = Run(text, length, Kind.Other);
            var lines = text[other..].IndexOfAnyExcept('\r', '\n');
            return lines < 0 ? text.Length : other + lines;
        }
        var end = Run(text, 0, Kind.Space);
        var lastLine = text[..end].LastIndexOfAny('\r', '\n');
        return lastLine >= 0 ? lastLine + 1 : Spaces(text, end);
    }

    /// <summary>Of a run of spaces the last belongs to the word behind them, unless none follows.</summary>
    private static int Spaces(ReadOnlySpan<char> text, int end) => end == text.Length || end == 1 ? end : end - 1;

    private static int ContractionOfAnyCase(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length == 1)
        {
            return 0;
        }
        Span<char> lower = stackalloc char[3];
        lower = lower[..Math.Min(text.Length, 3)];
        for (var i = 0; i < lower.Length; i++)
        {
            // The long s is an s in upper case, and so to expressions without regard to case.
            lower[i] = text[i] == '\u017f' ? 's' : char.IsAscii(text[i]) ? char.ToLowerInvariant(text[i]) : text[i];
        }
        return Contraction(lower);
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

    /// <summary>Where the run of one kind ends that goes on at <paramref name="position"/>, with at most so many characters more.</summary>
    private static int Run(ReadOnlySpan<char> text, int position, Kind kind, int most = int.MaxValue)
    {
        for (; most > 0 && position < text.Length && KindAt(text, position, out var length) == kind; most--)
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
