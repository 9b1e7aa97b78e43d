using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Turns text into token ids. Two tokenizers are built in; they hold no state, so one instance serves any number of
/// threads and models. No id is reserved for padding: a model goes by the length of a sequence, never by a pad id.
/// </summary>
public abstract class SequenceTokenizer
{
    private const int JsonVersion = 1;

    private protected SequenceTokenizer()
    {
    }

    /// <summary>
    /// Nucleotides, one id per letter: A = 0, C = 1, G = 2, T = 3, N = 4, in upper or lower case. U reads as T, the IUPAC
    /// ambiguity codes R Y S W K M B D H V read as N; any other character is a <see cref="SequenceTokenizationException"/>.
    /// </summary>
    public static SequenceTokenizer Dna { get; } = new DnaTokenizer(DnaUnknownPolicy.Throw);

    /// <summary>The UTF-8 bytes of the text, ids 0 to 255. Unpaired surrogates become U+FFFD, the replacement character.</summary>
    public static SequenceTokenizer Bytes { get; } = new ByteTokenizer();

    /// <summary>A short name: <c>dna</c> or <c>bytes</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The number of ids; every id lies in [0, VocabSize).</summary>
    public abstract int VocabSize { get; }

    /// <summary>Whether ids have complements, that is, whether a sequence can be read from the other strand.</summary>
    internal virtual bool HasComplement => false;

    /// <summary>Ids 0 to this number less one are the letters that a random mutation may put in; 0 where mutation has no meaning.</summary>
    internal virtual int MutationLetters => 0;

    /// <summary><see cref="Dna"/> with a choice of what happens to characters that are no nucleotides.</summary>
    /// <param name="unknown">Throw, or read as N.</param>
    /// <returns>The tokenizer.</returns>
    public static SequenceTokenizer DnaWith(DnaUnknownPolicy unknown) => unknown switch
    {
        DnaUnknownPolicy.Throw => Dna,
        DnaUnknownPolicy.N => new DnaTokenizer(DnaUnknownPolicy.N),
        _ => throw new ArgumentOutOfRangeException(nameof(unknown), unknown, "SequenceTokenizer.DnaWith: expected Throw or N."),
    };

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text; empty gives no ids.</param>
    /// <returns>One id per token, in order.</returns>
    /// <exception cref="SequenceTokenizationException">A character has no id.</exception>
    public int[] Encode(ReadOnlySpan<char> text)
    {
        var ids = new List<int>(text.Length);
        Encode(text, ids);
        return [.. ids];
    }

    /// <summary>Appends the ids of a text; on an error the list is as it was before.</summary>
    internal abstract void Encode(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>The id of the complementary letter.</summary>
    internal virtual int Complement(int id) => throw new NotSupportedException($"SequenceTokenizer '{Name}': ids have no complements.");

    /// <summary>The tokenizer as versioned JSON, read back by <see cref="FromJson"/>.</summary>
    internal string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("version", JsonVersion);
            json.WriteString("name", Name);
            WriteSettings(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private protected virtual void WriteSettings(Utf8JsonWriter json)
    {
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no such JSON, of a newer version, or names an unknown tokenizer.</exception>
    internal static SequenceTokenizer FromJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            var version = root.GetProperty("version").GetInt32();
            if (version > JsonVersion)
            {
                throw new FormatException(
                    $"tokenizer.json was written by a newer version (format {version}, this version reads up to {JsonVersion}); update Microsoft.ML.Mamba.");
            }
            var name = root.GetProperty("name").GetString();
            return name switch
            {
                DnaTokenizer.TokenizerName => DnaWith(Enum.Parse<DnaUnknownPolicy>(root.GetProperty("unknown").GetString()!)),
                ByteTokenizer.TokenizerName => Bytes,
                _ => throw new FormatException($"tokenizer.json names the tokenizer '{name}'; known are 'dna' and 'bytes'."),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"tokenizer.json is damaged: {e.Message}", e);
        }
    }
}
