using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Mamba;

/// <summary>Reading and writing: tokenizers of files are their files' text, the others a small versioned JSON.</summary>
public abstract partial class SequenceTokenizer
{
    private const int JsonVersion = 1;

    /// <summary>Why a model with this tokenizer cannot be saved and what to use instead, or null when it can be.</summary>
    internal virtual string? CannotBeSavedBecause => null;

    /// <summary>The tokenizer as JSON, read back by <see cref="FromJson"/>.</summary>
    /// <exception cref="NotSupportedException">There is no way to write it.</exception>
    internal virtual string ToJson()
    {
        if (CannotBeSavedBecause is { } reason)
        {
            throw new NotSupportedException($"Saving the model: {reason}");
        }
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
            if (root.TryGetProperty("model", out _))
            {
                return Parse(Encoding.UTF8.GetBytes(text), "tokenizer.json");
            }
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
                DnaTokenizer.CaduceusName => Caduceus,
                ByteTokenizer.TokenizerName => Bytes,
                _ => throw new FormatException($"tokenizer.json names the tokenizer '{name}'; known are 'dna', 'caduceus' and 'bytes'."),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"tokenizer.json is damaged: {e.Message}", e);
        }
    }

    /// <summary>What the file is called beside a checkpoint.</summary>
    internal const string FileName = "tokenizer.json";

    /// <summary>The tokenizer beside a checkpoint: what its tokenizer.json holds; null where it has none.</summary>
    internal static SequenceTokenizer? InFolder(string directory)
    {
        var file = Path.Combine(directory, FileName);
        return File.Exists(file) ? FromFile(file) : null;
    }

    private static BytePairTokenizer FromFile(Stream stream, string source)
    {
        using var bytes = new MemoryStream();
        var block = new byte[1 << 16];
        for (int read; (read = stream.Read(block)) > 0;)
        {
            // Counted here, since a stream need not know its length.
            if (bytes.Length + read > Data.TokenizerFile.MaxBytes)
            {
                throw new FormatException($"{source}: the file is longer than {Data.TokenizerFile.MaxBytes} bytes, the most that a tokenizer may have.");
            }
            bytes.Write(block, 0, read);
        }
        var start = bytes.GetBuffer().AsSpan(0, (int)bytes.Length).StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        return Parse(bytes.GetBuffer().AsMemory(start, (int)bytes.Length - start), source);
    }

    private static BytePairTokenizer Parse(ReadOnlyMemory<byte> utf8, string source)
    {
        try
        {
            return BytePairTokenizer.Parse(utf8);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{source}: {e.Message}", e);
        }
    }
}
