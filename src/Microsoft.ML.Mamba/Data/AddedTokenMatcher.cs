using System.Buffers;
using System.Globalization;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Finds added tokens in a text: from left to right, of those that begin at one place the longest, none inside another. Time
/// grows with the length of the text times that of the longest token, whatever the text and the number of tokens.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers takes special tokens as alternatives of one regular expression, where the first wins over the
/// longest, and knows neither of stripping nor of whole words; so this part is ours.
/// </remarks>
internal sealed class AddedTokenMatcher
{
    // A tree of all tokens: (node, next character) → node; node 0 is the root.
    private readonly Dictionary<long, int> _children = [];
    private readonly List<AddedToken?> _tokenOfNode = [null];
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="tokens">The tokens with the text by which each is found; of two with one text the first counts.</param>
    internal AddedTokenMatcher(IReadOnlyList<(string Text, AddedToken Token)> tokens)
    {
        foreach (var (text, token) in tokens)
        {
            Add(text, token);
        }
        _firstCharacters = SearchValues.Create([.. tokens.Where(t => t.Text.Length > 0).Select(t => t.Text[0])]);
    }

    /// <summary>A part of a text: an added token, or (with <see cref="Token"/> null) what lies between two.</summary>
    internal readonly record struct Part(int Start, int Length, AddedToken? Token);

    /// <summary>The parts of a text, in order; none is an empty text.</summary>
    internal List<Part> Split(ReadOnlySpan<char> text)
    {
        var parts = new List<Part>();
        var done = 0;
        var position = 0;
        var stripped = 0;
        while (Find(text, position, out var start, out var length) is { } token)
        {
            position = start + length;
            var end = position;
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
            {
                continue;
            }
            if (token.LeftStrip)
            {
                start = done < start ? done + text[done..start].TrimEnd().Length : done;
            }
            if (token.RightStrip)
            {
                // Spaces that the token before took already are not looked through again.
                stripped = end < stripped ? stripped : text.Length - text[end..].TrimStart().Length;
                end = stripped;
            }
            if (done < start)
            {
                parts.Add(new Part(done, start - done, null));
            }
            parts.Add(new Part(start, end - start, token));
            done = end;
        }
        if (done < text.Length)
        {
            parts.Add(new Part(done, text.Length - done, null));
        }
        return parts;
    }

    private void Add(string text, AddedToken token)
    {
        var node = 0;
        foreach (var character in text)
        {
            if (!_children.TryGetValue(Key(node, character), out var child))
            {
                child = _tokenOfNode.Count;
                _tokenOfNode.Add(null);
                _children.Add(Key(node, character), child);
            }
            node = child;
        }
        if (node != 0)
        {
            _tokenOfNode[node] ??= token;
        }
    }

    private AddedToken? Find(ReadOnlySpan<char> text, int from, out int start, out int length)
    {
        length = 0;
        for (start = from; start < text.Length; start++)
        {
            var skip = text[start..].IndexOfAny(_firstCharacters);
            if (skip < 0)
            {
                break;
            }
            start += skip;
            if (LongestAt(text[start..], out length) is { } token)
            {
                return token;
            }
        }
        return null;
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text, out int length)
    {
        AddedToken? longest = null;
        length = 0;
        var node = 0;
        for (var i = 0; i < text.Length && _children.TryGetValue(Key(node, text[i]), out node); i++)
        {
            if (_tokenOfNode[node] is { } token)
            {
                longest = token;
                length = i + 1;
            }
        }
        return longest;
    }

    private static long Key(int node, char character) => ((long)node << 16) | character;

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsOfWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsOfWord(rune);

    // \w of Unicode's regular expressions (UTS 18, annex C): letters, marks, digits, connectors, joiners, and the letters in
    // circles and squares, which are symbols that count as alphabetic.
    private static bool IsOfWord(Rune rune) => Rune.GetUnicodeCategory(rune)
        is <= UnicodeCategory.LetterNumber
        or UnicodeCategory.ConnectorPunctuation
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
}
