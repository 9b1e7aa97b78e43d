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
        (Vocabulary, Merges, UnknownToken, FuseUnknown, WholeWords) = ReadModel(root.Required("model"));
        AddedTokens = ReadAddedTokens(root, Vocabulary);
        VocabSize = CheckedSize(Vocabulary, AddedTokens);
        Normalizer = TextNormalizer.Read(root);
        (AddPrefixSpace, Words) = ReadPreTokenizer(root);
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

    /// <summary>Whether a word that is a token is that token, whatever merges would make of it.</summary>
    internal bool WholeWords { get; }

    internal IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>One more than the largest id.</summary>
    internal int VocabSize { get; }

    /// <summary>What happens to a text before it is cut into words.</summary>
    internal TextNormalizer Normalizer { get; }

    /// <summary>Whether text that does not begin with a space gets one.</summary>
    internal bool AddPrefixSpace { get; }

    /// <summary>How text is cut into words before tokens are looked for.</summary>
    internal WordPattern Words { get; }

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

    private static (bool AddPrefixSpace, WordPattern Words) ReadPreTokenizer(TokenizerJson root)
    {
        var preTokenizer = root.Required("pre_tokenizer");
        if (preTokenizer.Required("type").Text() == "Sequence")
        {
            return (false, ReadSplit(preTokenizer.Required("pretokenizers")));
        }
        ExpectByteLevel(preTokenizer);
        // trim_offsets tells where tokens lie in the text; ids do not depend on it.
        return (preTokenizer.Flag("add_prefix_space", absent: true), preTokenizer.Flag("use_regex", absent: true) ? WordPattern.Gpt2 : WordPattern.None);
    }

    /// <summary>A split by a known expression, then ByteLevel for the bytes alone, as in files of Llama 3 and Qwen 2.</summary>
    /// <remarks>
    /// No expression of a file is run: it is not trusted, and .NET's would not know letters beyond U+FFFF. The two that are in
    /// use are written out in <see cref="ByteLevelWords"/>.
    /// </remarks>
    private static WordPattern ReadSplit(TokenizerJson sequence)
    {
        var parts = sequence.Items().Take(3).ToArray();
        if (parts.Length != 2 || parts[0].Required("type") is var type && type.Text() != "Split")
        {
            throw sequence.Error("a Split by an expression of Llama 3 or Qwen 2, then ByteLevel, or ByteLevel without a Sequence");
        }
        var (split, bytes) = (parts[0], parts[1]);
        ExpectByteLevel(bytes);
        if (bytes.Flag("use_regex", absent: true) || bytes.Flag("add_prefix_space", absent: true))
        {
            throw sequence.Error("a ByteLevel with use_regex and add_prefix_space of false behind a Split");
        }
        if (split.Required("behavior") is var behavior && behavior.Text() != "Isolated")
        {
            throw behavior.Error("Isolated");
        }
        if (split.Flag("invert", absent: false))
        {
            throw split.Required("invert").Error("false");
        }
        var expression = split.Required("pattern").Required("Regex");
        return expression.Text() switch
        {
            ByteLevelWords.OneDigitPattern => WordPattern.OneDigit,
            ByteLevelWords.ThreeDigitsPattern => WordPattern.ThreeDigits,
            _ => throw expression.Error("the expression of Llama 3 or of Qwen 2, since a file's own expressions are not run"),
        };
    }

    private static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) ReadPostProcessor(TokenizerJson root, int vocabSize)
    {
        if (root.Optional("post_processor") is not { } processor)
        {
            return ([], []);
        }
        var isSequence = processor.Required("type").Text() == "Sequence";
        var steps = isSequence ? processor.Required("processors").Items() : [processor];
        (IReadOnlyList<int>, IReadOnlyList<int>)? template = null;
        foreach (var step in steps)
        {
            var type = step.Required("type");
            switch (type.Text())
            {
                case "ByteLevel":
                    break; // it trims offsets, no ids
                case "TemplateProcessing" when template is null:
                    template = ReadTemplate(step, vocabSize);
                    break;
                default:
                    throw type.Error("ByteLevel, TemplateProcessing, a Sequence with one of them each or no post-processor");
            }
        }
        return template ?? ([], []);
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
