using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>Settings of a JSON object by name and type. What does not fit becomes a problem, and a harmless value is handed on.</summary>
internal sealed class JsonFields(string file, JsonElement root, CheckpointProblems problems, string path = "")
{
    /// <summary>Names of all settings.</summary>
    public IEnumerable<string> Names => root.EnumerateObject().Select(property => property.Name);

    /// <summary>Whether a setting is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A whole number of at least 1.</summary>
    /// <param name="name">Name of the setting.</param>
    /// <param name="missing">Its value when it is absent; null when it must be there.</param>
    public int Size(string name, int? missing = null)
    {
        if (Find(name) is { } value)
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1)
                return number;
            Refuse(name, value, $"a whole number from 1 to {int.MaxValue}");
        }
        else if (missing is null)
        {
            problems.Add(file, $"{path}{name} is missing; expected a whole number from 1 to {int.MaxValue}.");
        }

        return missing ?? 1;
    }

    /// <summary>A whole number of at least 1, or the word auto (also when absent), which gives 0.</summary>
    public int SizeOrAuto(string name) =>
        Find(name) is { ValueKind: JsonValueKind.String } text && text.ValueEquals("auto") ? 0 : Has(name) ? Size(name) : 0;

    /// <summary>A finite number.</summary>
    public double Number(string name, double missing)
    {
        if (Find(name) is not { } value)
            return missing;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
            return number;
        Refuse(name, value, "a finite number");
        return missing;
    }

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool missing)
    {
        if (Find(name) is not { } value)
            return missing;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Refuse(name, value, "true or false");
        return missing;
    }

    /// <summary>A text.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString();
        Refuse(name, value, "a text");
        return null;
    }

    /// <summary>Ids: one whole number of at least 0, or an array of them; none when absent.</summary>
    public int[] Ids(string name)
    {
        if (Find(name) is not { } value)
            return [];
        var items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value };
        var ids = new List<int>();
        foreach (var item in items)
        {
            if (item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id) && id >= 0)
                ids.Add(id);
            else
                Refuse(name, item, "ids, whole numbers from 0");
        }

        return [.. ids];
    }

    /// <summary>The numbers of an object whose names are 0, 1, 2, …, in this order; null when absent.</summary>
    public int[]? Map(string name)
    {
        if (Find(name) is not { } value)
            return null;
        var numbers = new List<int>();
        while (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(numbers.Count.ToString(CultureInfo.InvariantCulture), out var item)
            && item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number))
            numbers.Add(number);
        if (value.ValueKind == JsonValueKind.Object && numbers.Count == value.EnumerateObject().Count())
            return [.. numbers];
        Refuse(name, value, "an object that gives each id from \"0\" on a whole number");
        return null;
    }

    /// <summary>Settings inside a setting; null when absent.</summary>
    public JsonFields? Inside(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new JsonFields(file, value, problems, $"{path}{name}.");
        Refuse(name, value, "an object");
        return null;
    }

    /// <summary>Notes a setting that is well-formed but means something else than this library can do.</summary>
    public void Unsupported(string name, object? value, string expected) =>
        problems.Add(file, $"{path}{name} is {value}; expected {expected}.");

    /// <summary>Whether an array is absent or empty.</summary>
    public bool IsEmptyArray(string name) => Find(name) is not { } value || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);

    private JsonElement? Find(string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private void Refuse(string name, JsonElement value, string expected)
    {
        var text = value.GetRawText();
        problems.Add(file, $"{path}{name} is {(text.Length <= 60 ? text : text[..60] + "…")}; expected {expected}.");
    }
}
