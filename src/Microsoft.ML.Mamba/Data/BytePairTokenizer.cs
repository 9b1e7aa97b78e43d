using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Byte-level BPE of a Hugging Face tokenizer.json, read or learnt. Added tokens are cut out of the text as it is, then out of the normalized
/// text; what is left is cut into words, and each word's bytes are merged into tokens.
/// </summary>
internal sealed class BytePairTokenizer : SequenceTokenizer
{
    internal const string TokenizerName = "bpe";

    /// <summary>Words up to this length go to Microsoft.ML.Tokenizers, which remembers the ids of short ones (at most 10,000).</summary>
    internal const int MostRememberedLength = 128;

    private readonly string _json;
    private readonly TokenizerFile _file;
    private readonly AddedTokenMatcher _tokensOfText;
    private readonly AddedTokenMatcher _tokensOfNormalizedText;
    private readonly BpeTokenizer _shortWords;
    private readonly BytePairMerges _longWords;
    private readonly string?[] _textOfId;
    private readonly int _longestToken;

    private BytePairTokenizer(string json, TokenizerFile file)
    {
        _json = json;
        _file = file;
        file.Normalizer.CheckPlatform();
        _tokensOfText = new([.. file.AddedTokens.Where(t => !t.Normalized).Select(t => (TextOf(t), t))]);
        _tokensOfNormalizedText = new([.. file.AddedTokens.Where(t => t.Normalized).Select(t => (TextOf(t), t))]);
        _shortWords = BpeTokenizer.Create(new BpeOptions(file.Vocabulary)
        {
            Merges = file.Merges.Select(pair => $"{pair.Left} {pair.Right}"),
            UnknownToken = file.UnknownToken,
            FuseUnknownTokens = file.FuseUnknown,
            ByteLevel = true,
        });
        _longWords = new BytePairMerges(file);
        _longestToken = file.Vocabulary.Keys.Max(token => token.Length);
        _textOfId = new string?[file.VocabSize];
        foreach (var (token, id) in file.Vocabulary)
        {
            _textOfId[id] = token;
        }
        foreach (var token in file.AddedTokens)
        {
            _textOfId[token.Id] = TextOf(token);
        }
    }

    public override string Name => TokenizerName;

    public override int VocabSize => _file.VocabSize;

    /// <summary>The tokenizer of a file's bytes.</summary>
    /// <exception cref="FormatException">As <see cref="TokenizerFile.Parse"/>.</exception>
    internal static BytePairTokenizer Parse(ReadOnlyMemory<byte> utf8)
    {
        var file = TokenizerFile.Parse(utf8);
        return new BytePairTokenizer(Encoding.UTF8.GetString(utf8.Span), file);
    }

    public override string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>(ids.Length);
        foreach (var id in ids)
        {
            if ((uint)id < (uint)_textOfId.Length && _textOfId[id] is { } token)
            {
                ByteLevelAlphabet.AppendBytes(token, bytes);
            }
        }
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    internal override bool HasIdsOf(SequenceTokenizer other) => other is BytePairTokenizer pairs && pairs._json == _json;

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        ids.AddRange(_file.Prefix);
        EncodePart(text, ids);
        ids.AddRange(_file.Suffix);
    }

    private protected override bool SpaceLeadsWord => true;

    private protected override (IEnumerable<int> Prefix, IEnumerable<int> Suffix) Frame => (_file.Prefix, _file.Suffix);

    private protected override void EncodePart(ReadOnlySpan<char> part, List<int> ids)
    {
        var whole = TextNormalizer.WellFormed(part);
        foreach (var piece in _tokensOfText.Split(whole))
        {
            if (piece.Token is { } token)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodeNormalized(_file.Normalizer.Apply(whole.Slice(piece.Start, piece.Length)), ids);
            }
        }
    }

    /// <summary>The file's text as it was.</summary>
    internal override string ToJson() => _json;

    private void EncodeNormalized(ReadOnlySpan<char> text, List<int> ids)
    {
        foreach (var part in _tokensOfNormalizedText.Split(text))
        {
            if (part.Token is { } token)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodeWords(text.Slice(part.Start, part.Length), ids);
            }
        }
    }

    private void EncodeWords(ReadOnlySpan<char> text, List<int> ids)
    {
        if (_file.AddPrefixSpace && text[0] != ' ')
        {
            text = string.Concat(" ", text);
        }
        foreach (var word in new ByteLevelWords(text, _file.Words))
        {
            EncodeWord(word, ids);
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids)
    {
        // No token has fewer characters than the word it stands for.
        if (_file.WholeWords && word.Length <= _longestToken && _file.Vocabulary.TryGetValue(ByteLevelAlphabet.Spell(word), out var id))
        {
            ids.Add(id);
        }
        else if (word.Length <= MostRememberedLength)
        {
            ids.AddRange(_shortWords.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false));
        }
        else
        {
            _longWords.Encode(word, ids);
        }
    }

    private string TextOf(AddedToken token) => token.Normalized ? _file.Normalizer.Apply(token.Content).ToString() : token.Content;
}
