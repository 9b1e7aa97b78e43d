using System.Text.Json;

namespace Microsoft.ML.Mamba.Data;

/// <summary>A value of a tokenizer.json with its place, for reading with errors that name the place.</summary>
internal readonly struct TokenizerJson(JsonElement element, string path)
{
    private JsonElement Element { get; } = element;

    private string Path { get; } = path;

    /// <summary>The member of that name, or null where it is absent or null.</summary>
    internal TokenizerJson? Optional(string name)
    {
        Expect(JsonValueKind.Object);
        return Element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? new(member, PathOf(name)) : null;
    }

    internal TokenizerJson Required(string name) => Optional(name) ?? throw new FormatException($"{PathOf(name)} is missing.");

    /// <summary>The flag of that name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="absent">What it is where the file does not say.</param>
    internal bool Flag(string name, bool absent)
    {
        if (Optional(name) is not { } member)
        {
            return absent;
        }
        return member.Element.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? member.Element.GetBoolean()
            : throw member.Error("true or false");
    }

    internal string Text()
    {
        Expect(JsonValueKind.String);
        return Element.GetString()!;
    }

    /// <summary>The number as an id.</summary>
    internal int Id() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var id) && id >= 0
        ? id
        : throw Error("an id, a whole number of at least 0");

    internal bool IsText => Element.ValueKind == JsonValueKind.String;

    /// <summary>Whether the value asks for something: anything but 0, false and the empty text.</summary>
    internal bool IsSet => Element.ValueKind switch
    {
        JsonValueKind.False => false,
        JsonValueKind.Number => !(Element.TryGetDouble(out var number) && number == 0),
        JsonValueKind.String => Element.GetString()!.Length > 0,
        _ => true,
    };

    internal int Count
    {
        get
        {
            Expect(JsonValueKind.Array);
            return Element.GetArrayLength();
        }
    }

    internal IEnumerable<TokenizerJson> Items()
    {
        Expect(JsonValueKind.Array);
        var place = Path;
        return Element.EnumerateArray().Select((item, index) => new TokenizerJson(item, $"{place}[{index}]"));
    }

    internal IEnumerable<(string Name, TokenizerJson Value)> Members()
    {
        Expect(JsonValueKind.Object);
        var place = Path;
        return Element.EnumerateObject().Select(member => (member.Name, new TokenizerJson(member.Value, place)));
    }

    internal FormatException Error(string expected)
    {
        var text = Element.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? Element.ValueKind.ToString() : Element.GetRawText();
        return new FormatException($"{Path} is {TokenizerFile.Shown(text)}; expected {expected}.");
    }

    private void Expect(JsonValueKind kind)
    {
        if (Element.ValueKind != kind)
        {
            throw Error(kind switch
            {
                JsonValueKind.Object => "an object",
                JsonValueKind.Array => "an array",
                _ => "a text",
            });
        }
    }

    private string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
