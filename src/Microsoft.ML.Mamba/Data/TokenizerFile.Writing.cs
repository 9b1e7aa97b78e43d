using System.Text.Encodings.Web;
using System.Text.Json;

namespace Microsoft.ML.Mamba.Data;

/// <summary>Writing a tokenizer.json.</summary>
internal sealed partial class TokenizerFile
{
    private static readonly JsonWriterOptions AsFewEscapes = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The tokenizer.json of learnt merges: GPT-2's words, no added tokens, text comes back as it was (or in lower case).</summary>
    /// <param name="tokens">Tokens by id, spelled in <see cref="ByteLevelAlphabet"/>.</param>
    /// <param name="merges">Pairs of ids, best first.</param>
    /// <param name="lowercase">Whether texts are put in lower case.</param>
    /// <returns>The file's bytes.</returns>
    internal static byte[] Write(IReadOnlyList<string> tokens, IReadOnlyList<(int Left, int Right)> merges, bool lowercase)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, AsFewEscapes))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            json.WriteEndArray();
            if (lowercase)
            {
                json.WriteStartObject("normalizer");
                json.WriteString("type", "Lowercase");
                json.WriteEndObject();
            }
            else
            {
                json.WriteNull("normalizer");
            }
            WriteByteLevel(json, "pre_tokenizer");
            json.WriteNull("post_processor");
            WriteByteLevel(json, "decoder");
            WriteModel(json, tokens, merges);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, IReadOnlyList<string> tokens, IReadOnlyList<(int Left, int Right)> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (var name in new[] { "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix" })
        {
            json.WriteNull(name);
        }
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteStartObject("vocab");
        for (var id = 0; id < tokens.Count; id++)
        {
            json.WriteNumber(tokens[id], id);
        }
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in merges)
        {
            // The spelling that older versions of the tokenizers library read too.
            json.WriteStringValue($"{tokens[left]} {tokens[right]}");
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
