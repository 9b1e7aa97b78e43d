using System.Globalization;

/// <summary>A recording: the columns of a row.</summary>
internal sealed class Recording
{
    /// <summary>Where its WAV file is.</summary>
    public string Path { get; set; } = "";

    /// <summary>What is heard when, as SequenceTagging() reads it: "onset offset label; onset offset label".</summary>
    public string Events { get; set; } = "";

    /// <summary>What is heard at all, as MultilabelClassification() reads it: "label, label".</summary>
    public string Tags { get; set; } = "";

    /// <summary>The events once more.</summary>
    internal IReadOnlyList<SoundEvent> Marks { get; init; } = [];
}

/// <summary>A stretch of a recording, in seconds, and what is heard there.</summary>
internal readonly record struct SoundEvent(double Onset, double Offset, string Label);

/// <summary>
/// Reads a folder of recordings with marked events: for each part ("train", "test") a list of files (column file) and a list of events
/// (columns file, onset, offset, label), tab-separated with a header line. Other columns do not matter.
/// </summary>
internal static class RecordedEvents
{
    /// <exception cref="InvalidDataException">A list is not what it should be; the message names file, line and what was expected.</exception>
    public static Recording[] Read(string folder, string part)
    {
        var marks = new Dictionary<string, List<SoundEvent>>(StringComparer.Ordinal);
        var files = Path.Combine(folder, $"{part}_files.tsv");
        foreach (var (line, fields) in Rows(files, "file"))
        {
            if (!File.Exists(Path.Combine(folder, fields[0])))
                throw Wrong(files, line, $"there is no file '{fields[0]}' in {folder}; expected the path of a WAV file from there.");
            if (!marks.TryAdd(fields[0], []))
                throw Wrong(files, line, $"'{fields[0]}' comes a second time; expected each file once.");
        }
        if (marks.Count == 0)
            throw new InvalidDataException($"{files}: there is no file in the list; expected at least one line below the header.");

        var events = Path.Combine(folder, $"{part}_events.tsv");
        foreach (var (line, fields) in Rows(events, "file", "onset", "offset", "label"))
        {
            if (!marks.TryGetValue(fields[0], out var list))
                throw Wrong(events, line, $"'{fields[0]}' is not in {part}_files.tsv; expected one of its files.");
            list.Add(Event(events, line, fields));
        }
        foreach (var (file, list) in marks)
        {
            list.Sort((a, b) => a.Onset.CompareTo(b.Onset));
            for (var i = 1; i < list.Count; i++)
            {
                if (list[i].Onset < list[i - 1].Offset)
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                        $"{events}: in {file}, {list[i].Label} begins at {list[i].Onset} s, before {list[i - 1].Label} ends at {list[i - 1].Offset} s; expected events that do not overlap: a moment has one label."));
            }
        }
        return marks.Values.Any(list => list.Count > 0)
            ? [.. marks.Select(m => Row(Path.GetFullPath(m.Key, folder), m.Value))]
            : throw new InvalidDataException($"{events}: there is no event in the list; expected at least one line below the header.");
    }

    private static Recording Row(string path, List<SoundEvent> marks) => new()
    {
        Path = path,
        Events = string.Join("; ", marks.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Onset} {m.Offset} {m.Label}"))),
        Tags = string.Join(", ", marks.Select(m => m.Label).Distinct().Order(StringComparer.Ordinal)),
        Marks = marks,
    };

    private static SoundEvent Event(string file, int line, string[] fields)
    {
        var (onset, offset, label) = (Time(1, "onset"), Time(2, "offset"), fields[3].Trim());
        if (offset <= onset)
            throw Wrong(file, line, string.Create(CultureInfo.InvariantCulture, $"the event ends at {offset} s, but begins at {onset} s; expected an offset after the onset."));
        if (label.Length == 0 || label.IndexOfAny([';', ',']) >= 0)
            throw Wrong(file, line, $"label is '{fields[3]}'; expected a name without ';' and ','.");
        return new SoundEvent(onset, offset, label);

        double Time(int field, string name) =>
            double.TryParse(fields[field], NumberStyles.Float, CultureInfo.InvariantCulture, out var time) && time >= 0 && double.IsFinite(time)
                ? time
                : throw Wrong(file, line, $"{name} is '{fields[field]}'; expected seconds from the beginning, such as 1.25.");
    }

    /// <summary>The lines below the header, each with its number and the named columns.</summary>
    private static IEnumerable<(int Line, string[] Fields)> Rows(string file, params string[] columns)
    {
        if (!File.Exists(file))
            throw new InvalidDataException($"{file} is missing; expected tab-separated text with a header line and the column{(columns.Length > 1 ? "s" : "")} {string.Join(", ", columns)}.");
        var lines = File.ReadAllLines(file);
        var header = (lines.FirstOrDefault() ?? "").Split('\t');
        int[] places = [.. columns.Select(column => Array.IndexOf(header, column))];
        if (Array.IndexOf(places, -1) is >= 0 and var missing)
            throw new InvalidDataException($"{file}, line 1: there is no column '{columns[missing]}'; expected a header line with {string.Join(", ", columns)}, tabs between them, found '{string.Join(' ', header)}'.");
        for (var i = 1; i < lines.Length; i++)
        {
            var fields = lines[i].Split('\t');
            if (fields.Length != header.Length)
                throw Wrong(file, i + 1, $"there {(fields.Length == 1 ? "is 1 field" : $"are {fields.Length} fields")}; expected {header.Length}, as in the header line, with tabs between them.");
            yield return (i + 1, [.. places.Select(place => fields[place])]);
        }
    }

    private static InvalidDataException Wrong(string file, int line, string problem) => new($"{file}, line {line}: {problem}");
}
