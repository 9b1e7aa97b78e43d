namespace Microsoft.ML.Mamba.Data;

/// <summary>The part of the file about tokens.</summary>
internal sealed partial class TokenizerFile
{
    /// <summary>The longest text of an added token, in characters; it bounds the time of the search for them.</summary>
    private const int MaxAddedTokenLength = 1000;

    /// <summary>Ids may leave gaps, but not so many that a model's embedding would be mostly gaps.</summary>
    private const int MaxGaps = 1024;

    private static (Dictionary<string, int> Vocabulary, IReadOnlyList<(string Left, string Right)> Merges, string? UnknownToken, bool FuseUnknown, bool WholeWords)
        ReadModel(TokenizerJson model)
    {
        if (model.Optional("type") is { } type && type.Text() != "BPE")
        {
            throw type.Error($"BPE (supported is {Supported})");
        }
        foreach (var option in new[] { "dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback" })
        {
            if (model.Optional(option) is { IsSet: true } set)
            {
                throw set.Error($"none (supported is {Supported}, without this option)");
            }
        }
        var vocabulary = ReadVocabulary(model.Required("vocab"));
        var unknown = model.Optional("unk_token") is { IsSet: true } token ? token.Text() : null;
        if (unknown is not null && !vocabulary.ContainsKey(unknown))
        {
            throw new FormatException($"model.unk_token is {Shown(unknown)}, which is not in model.vocab.");
        }
        return (vocabulary, ReadMerges(model.Required("merges"), vocabulary), unknown, model.Flag("fuse_unk", absent: false), model.Flag("ignore_merges", absent: false));
    }

    private static Dictionary<string, int> ReadVocabulary(TokenizerJson vocab)
    {
        var vocabulary = new Dictionary<string, int>();
        var ids = new HashSet<int>();
        foreach (var (token, value) in vocab.Members())
        {
            var id = value.Id();
            if (!ids.Add(id))
            {
                throw new FormatException($"model.vocab gives the id {id} twice, the second time to {Shown(token)}.");
            }
            vocabulary.Add(token, id);
        }
        return vocabulary.Count > 0 ? vocabulary : throw new FormatException("model.vocab is empty.");
    }

    private static List<(string Left, string Right)> ReadMerges(TokenizerJson merges, Dictionary<string, int> vocabulary)
    {
        var pairs = new List<(string, string)>(merges.Count);
        var seen = new HashSet<(string, string)>();
        foreach (var merge in merges.Items())
        {
            var (left, right) = ReadMerge(merge);
            foreach (var token in new[] { left, right, left + right })
            {
                if (!vocabulary.ContainsKey(token))
                {
                    throw new FormatException($"model.merges[{pairs.Count}] needs the token {Shown(token)}, which is not in model.vocab.");
                }
            }
            if (!seen.Add((left, right)))
            {
                throw new FormatException($"model.merges[{pairs.Count}] merges {Shown(left)} and {Shown(right)} a second time.");
            }
            pairs.Add((left, right));
        }
        return pairs;
    }

    // "a b" in older files, ["a", "b"] in newer ones. No token of a byte-level vocabulary holds a space.
    private static (string Left, string Right) ReadMerge(TokenizerJson merge)
    {
        var parts = merge.IsText ? merge.Text().Split(' ') : merge.Items().Take(3).Select(part => part.Text()).ToArray();
        return parts is [{ Length: > 0 } left, { Length: > 0 } right] && !left.Contains(' ') && !right.Contains(' ')
            ? (left, right)
            : throw merge.Error("two tokens without spaces, as \"a b\" or [\"a\", \"b\"]");
    }

    private static List<AddedToken> ReadAddedTokens(TokenizerJson root, Dictionary<string, int> vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (root.Optional("added_tokens") is not { } list)
        {
            return tokens;
        }
        var texts = new HashSet<string>();
        var ids = vocabulary.Values.ToHashSet();
        foreach (var item in list.Items())
        {
            var content = item.Required("content");
            var text = content.Text();
            var id = item.Required("id").Id();
            if (text.Length is 0 or > MaxAddedTokenLength)
            {
                throw content.Error($"a text of 1 to {MaxAddedTokenLength} characters");
            }
            var known = vocabulary.TryGetValue(text, out var idInVocabulary);
            if (!texts.Add(text) || (known ? id != idInVocabulary : !ids.Add(id)))
            {
                throw new FormatException($"added_tokens gives the id {id} to {Shown(text)}, but the text has another id or the id another text.");
            }
            var special = item.Flag("special", absent: false);
            tokens.Add(new AddedToken(
                id,
                text,
                item.Flag("single_word", absent: false),
                item.Flag("lstrip", absent: false),
                item.Flag("rstrip", absent: false),
                item.Flag("normalized", absent: !special)));
        }
        return tokens;
    }

    private static int CheckedSize(Dictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added)
    {
        var largest = Math.Max(vocabulary.Values.Max(), added.Select(token => token.Id).DefaultIfEmpty(0).Max());
        var most = 2L * (vocabulary.Count + added.Count) + MaxGaps;
        return largest < most
            ? largest + 1
            : throw new FormatException($"the largest id is {largest}, but there are {vocabulary.Count + added.Count} tokens; expected ids with few gaps, below {most}.");
    }
}
