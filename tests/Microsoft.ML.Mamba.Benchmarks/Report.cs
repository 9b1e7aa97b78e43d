using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>What a benchmark hands over: one record per row, its properties in camel case as columns of a table and as JSON.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The option that every command has.</summary>
    public static Option<FileInfo?> JsonOption() => new("--json") { Description = "Also write the rows to this file, as an array of flat objects." };

    /// <summary>Prints the rows as a table and writes them to a file if one is given.</summary>
    public static void Write<TRow>(IReadOnlyList<TRow> rows, FileInfo? json)
    {
        PrintTable([.. rows.Select(row => JsonSerializer.SerializeToNode(row, Format)!.AsObject())]);
        if (json is null)
            return;

        json.Directory?.Create();
        File.WriteAllText(json.FullName, JsonSerializer.Serialize(rows, Format));
        Console.WriteLine($"Written to {json.FullName}.");
    }

    private static void PrintTable(JsonObject[] rows)
    {
        if (rows.Length == 0)
            return;

        string[] columns = [.. rows[0].Select(property => property.Key)];
        string[][] lines = [columns, .. rows.Select(row => columns.Select(column => Show(row[column])).ToArray())];
        int[] widths = [.. columns.Select((_, i) => lines.Max(line => line[i].Length))];
        Console.WriteLine();
        foreach (string[] line in lines)
            Console.WriteLine(string.Join("  ", line.Select((cell, i) => cell.PadLeft(widths[i]))));
    }

    private static string Show(JsonNode? value) => value switch
    {
        null => "-",
        JsonValue number when number.TryGetValue(out double d) => FormattableString.Invariant($"{d:0.#####}") is var fixedPoint
            && d != 0 && Math.Abs(d) < 1e-3 ? FormattableString.Invariant($"{d:0.##e+0}") : fixedPoint,
        _ => value.ToString(),
    };
}
