using System.Text.Json;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// What a Hugging Face tokenizer.json says, for byte-level BPE as in GPT-NeoX; all of it checked. Memory grows with the length
/// of the file, not with numbers that it names.
/// </summary>
/// <remarks>
/// <c>truncation</c> and <c>padding</c> of the file are not read: cutting is <see cref="MambaTrainingOptions.MaxLength"/>'s
/// affair, and models here go by lengths.
/// </remarks>
internal sealed partial class TokenizerFile
{
    /// <summary>The longest file that is read; the largest vocabularies in use take about half.</summary>
    internal const int MaxBytes = 64 << 20;

    private const string Supported = "byte-level BPE as in GPT-2 and GPT-NeoX";

    private TokenizerFile(TokenizerJson root)
    {
        (Vocabulary, Merges, UnknownToken, FuseUnknown) = ReadModel(root.Required("model"));
        AddedTokens = ReadAddedTokens(root, Vocabulary);
        VocabSize = CheckedSize(Vocabulary, AddedTokens);
        Normalizer = TextNormalizer.Read(root);
        (AddPrefixSpace, UseRegex) = ReadPreTokenizer(root);
        (Prefix, Suffix) = ReadPostProcessor(root, VocabSize);
        CheckDecoder(root);
    }

    /// <summary>Tokens of the model, spelled in <see cref="ByteLevelAlphabet"/>, and their ids.</summary>
    internal Dictionary<string, int> Vocabulary { get; }

    /// <summary>Pairs of tokens that merge, best first; the parts and the whole of each are in the vocabulary.</summary>
    internal IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>The token for bytes without one, or null.</summary>
    internal string? UnknownToken { get; }

    /// <summary>Whether unknown bytes in a row become one token.</summary>
    internal bool FuseUnknown { get; }

    internal IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>One more than the largest id.</summary>
    internal int VocabSize { get; }

    /// <summary>What happens to a text before it is cut into words.</summary>
    internal TextNormalizer Normalizer { get; }

    /// <summary>Whether text that does not begin with a space gets one.</summary>
    internal bool AddPrefixSpace { get; }

    /// <summary>Whether text is cut into words before tokens are looked for.</summary>
    internal bool UseRegex { get; }

    /// <summary>Ids that stand before those of every text.</summary>
    internal IReadOnlyList<int> Prefix { get; }

    /// <summary>Ids that stand behind those of every text.</summary>
    internal IReadOnlyList<int> Suffix { get; }

    /// <summary>Reads and checks a file.</summary>
    /// <param name="utf8">Its bytes, without a byte order mark.</param>
    /// <exception cref="FormatException">It is no tokenizer.json, damaged, or of a kind that is not supported; the message names the place.</exception>
    internal static TokenizerFile Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new TokenizerFile(new TokenizerJson(document.RootElement, ""));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text that is no valid UTF-8 or UTF-16.
            throw new FormatException($"it is no valid JSON: {e.Message}", e);
        }
    }

    /// <summary>A piece of a file as a message shows it: short.</summary>
    internal static string Shown(string text) => text.Length <= 60 ? $"'{text}'" : $"'{text.AsSpan(0, 57)}...'";

    private static (bool AddPrefixSpace, bool UseRegex) ReadPreTokenizer(TokenizerJson root)
    {
        var preTokenizer = root.Required("pre_tokenizer");
        ExpectByteLevel(preTokenizer);
        // trim_offsets tells where tokens lie in the text; ids do not depend on it.
        return (preTokenizer.Flag("add_prefix_space", absent: true), preTokenizer.Flag("use_regex", absent: true));
    }

    private static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) ReadPostProcessor(TokenizerJson root, int vocabSize)
    {
        if (root.Optional("post_processor") is not { } processor)
        {
            return ([], []);
        }
        var type = processor.Required("type");
        return type.Text() switch
        {
            "ByteLevel" => ([], []), // it trims offsets, no ids
            "TemplateProcessing" => ReadTemplate(processor, vocabSize),
            _ => throw type.Error("ByteLevel, TemplateProcessing or no post-processor"),
        };
    }

    private static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) ReadTemplate(TokenizerJson processor, int vocabSize)
    {
        var special = processor.Required("special_tokens");
        List<int> prefix = [], suffix = [];
        var texts = 0;
        foreach (var piece in processor.Required("single").Items())
        {
            if (piece.Optional("SpecialToken") is { } token)
            {
                var ids = special.Required(token.Required("id").Text()).Required("ids").Items().Select(i => i.Id());
                (texts == 0 ? prefix : suffix).AddRange(ids);
            }
            else
            {
                piece.Required("Sequence");
                texts++;
            }
        }
        if (texts != 1)
        {
            throw new FormatException($"post_processor.single has {texts} places for the text; expected one.");
        }
        foreach (var id in prefix.Concat(suffix))
        {
            if (id >= vocabSize)
            {
                throw new FormatException($"post_processor.special_tokens has the id {id}; the largest id of a token is {vocabSize - 1}.");
            }
        }
        return (prefix, suffix);
    }

    private static void CheckDecoder(TokenizerJson root)
    {
        if (root.Optional("decoder") is { } decoder)
        {
            ExpectByteLevel(decoder);
        }
    }

    private static void ExpectByteLevel(TokenizerJson part)
    {
        var type = part.Required("type");
        if (type.Text() != "ByteLevel")
        {
            throw type.Error($"ByteLevel (supported is {Supported})");
        }
    }
}
