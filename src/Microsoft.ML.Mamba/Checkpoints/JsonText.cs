using System.Text.Json;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// JSON as Python's json module writes it: the bare words NaN, Infinity and -Infinity may stand for numbers. They arrive here as
/// texts of that spelling.
/// </summary>
internal static class JsonText
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a file that holds one object.</summary>
    /// <param name="file">The file.</param>
    /// <param name="maxLength">More bytes than this are refused unread.</param>
    /// <exception cref="MambaCheckpointException">It is too long, not JSON, not an object, or names something twice.</exception>
    public static JsonElement Read(CheckpointFile file, long maxLength)
    {
        if (file.Length > maxLength)
            throw new MambaCheckpointException($"{file.Name}: it has {file.Length} bytes; expected at most {maxLength}.");
        var bytes = file.Read(stream => file.Bytes(stream, 0, file.Length));
        try
        {
            using var document = JsonDocument.Parse(QuoteBareNumbers(bytes), Strict);
            CheckTexts(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new MambaCheckpointException($"{file.Name}: it is a JSON {document.RootElement.ValueKind}; expected an object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MambaCheckpointException($"{file.Name}: it is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>Bytes that are no UTF-8, and half of a surrogate pair, pass as JSON and are no text.</summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    private static void CheckTexts(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
            _ = element.GetString();
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
                CheckTexts(item);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                _ = property.Name;
                CheckTexts(property.Value);
            }
        }
    }

    private static byte[] QuoteBareNumbers(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json["\uFEFF"u8.Length..];
        if (json.IndexOf("NaN"u8) < 0 && json.IndexOf("Infinity"u8) < 0)
            return json.ToArray();
        var result = new List<byte>(json.Length + 64);
        var inText = false;
        for (var i = 0; i < json.Length; i++)
        {
            var word = inText ? 0 : WordAt(json[i..]);
            if (word > 0)
            {
                result.AddRange([(byte)'"', .. json.Slice(i, word), (byte)'"']);
                i += word - 1;
                continue;
            }

            if (json[i] == '"')
                inText = !inText;
            result.Add(json[i]);
            if (inText && json[i] == '\\' && i + 1 < json.Length)
                result.Add(json[++i]);
        }

        return [.. result];
    }

    private static int WordAt(ReadOnlySpan<byte> json) =>
        json.StartsWith("NaN"u8) ? 3 : json.StartsWith("Infinity"u8) ? 8 : json.StartsWith("-Infinity"u8) ? 9 : 0;
}
