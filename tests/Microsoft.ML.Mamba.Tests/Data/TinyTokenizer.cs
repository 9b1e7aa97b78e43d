using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>A small tokenizer.json made here: 256 bytes (ids 0 to 255), some merges, then added tokens.</summary>
internal static class TinyTokenizer
{
    private static readonly string[] Merges =
        ["t h", "th e", "Ġ the", "i n", "Ġ i", "a n", "an d", "a a", "aa aa", "A C", "G T", "AC GT", "Ġ Ġ", "x x", "xx x", "Ã ©", "o n"];

    /// <summary>The file as a tree that a test may change.</summary>
    public static JsonObject Tree(params JsonObject[] addedTokens) =>
        Tree(Enumerable.Range(0, 256).Select(value => ByteLevelAlphabet.ToChar((byte)value)), addedTokens);

    /// <summary>The same with those bytes only that merges need: a third of the length.</summary>
    public static JsonObject ShortTree(params JsonObject[] addedTokens) =>
        Tree(string.Concat(Merges).Where(character => character != ' ').Distinct(), addedTokens);

    /// <summary>An added token for a tree.</summary>
    public static JsonObject Added(int id, string content, bool normalized = false, bool singleWord = false, bool leftStrip = false, bool rightStrip = false) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = singleWord,
        ["lstrip"] = leftStrip,
        ["rstrip"] = rightStrip,
        ["normalized"] = normalized,
        ["special"] = true,
    };

    public static byte[] Bytes(JsonObject tree) => Encoding.UTF8.GetBytes(tree.ToJsonString());

    public static SequenceTokenizer Create(JsonObject tree) => SequenceTokenizer.FromStream(new MemoryStream(Bytes(tree)));

    /// <summary>The tokenizer with these added tokens.</summary>
    public static SequenceTokenizer With(params JsonObject[] addedTokens) => Create(Tree(addedTokens));

    /// <summary>The tokens of a text, spelled as in the file.</summary>
    public static string[] Tokens(SequenceTokenizer tokenizer, string text)
    {
        var spelling = TokenizerFile.Parse(Encoding.UTF8.GetBytes(tokenizer.ToJson()));
        var tokens = spelling.Vocabulary.ToDictionary(pair => pair.Value, pair => pair.Key);
        foreach (var added in spelling.AddedTokens)
            tokens[added.Id] = added.Content;
        return [.. tokenizer.Encode(text).Select(id => tokens[id])];
    }

    private static JsonObject Tree(IEnumerable<char> bytes, JsonObject[] addedTokens)
    {
        var vocab = new JsonObject();
        foreach (var character in bytes)
            vocab.Add(character.ToString(), vocab.Count);
        foreach (var merge in Merges)
            vocab.Add(merge.Replace(" ", "", StringComparison.Ordinal), vocab.Count);
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. addedTokens]),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = ByteLevel(),
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["fuse_unk"] = false,
                ["vocab"] = vocab,
                ["merges"] = new JsonArray([.. Merges.Select(merge => JsonValue.Create(merge))]),
            },
        };
    }

    private static JsonObject ByteLevel() => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = true,
    };
}
