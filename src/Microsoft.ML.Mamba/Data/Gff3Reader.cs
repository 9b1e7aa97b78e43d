using System.Globalization;

namespace Microsoft.ML.Mamba.Data;

/// <summary>A line of a GFF3 file: the letters [From, To), from 0, of a sequence.</summary>
/// <param name="Sequence">The name of the sequence.</param>
/// <param name="Feature">The ID, which the lines of one feature share; without an ID, one of its own.</param>
/// <param name="From">The first letter, from 0.</param>
/// <param name="To">The letter behind the last.</param>
/// <param name="Strand">'+' or '-'.</param>
/// <param name="Phase">The letters, 0 to 2, from the beginning of the part (on its strand) to that of the next codon; 0 where the file has '.'.</param>
internal readonly record struct Gff3Part(string Sequence, string Feature, long From, long To, char Strand, int Phase);

/// <summary>
/// GFF3: nine columns with tabs between them, 1-based coordinates with both ends included, names with %XX escapes.
/// Features without a strand are passed over; sequences after "##FASTA" are not read.
/// </summary>
internal static class Gff3Reader
{
    private const int Columns = 9;

    private static readonly string[] Phases = [".", "0", "1", "2"];

    /// <summary>The lines of one type of feature, in the file's order.</summary>
    /// <exception cref="MambaSequenceFileException">A line is malformed.</exception>
    public static List<Gff3Part> Read(LetterFile file, string featureType)
    {
        var parts = new List<Gff3Part>();
        while (file.Peek() >= 0)
        {
            var number = file.Line;
            var bytes = file.ReadLine();
            if (bytes.StartsWith("##FASTA"u8) || bytes.StartsWith(">"u8))
                break;
            if (bytes.Length == 0 || bytes[0] == '#')
                continue;
            if (Parse(LetterFile.Text(bytes), number, file, featureType) is { } part)
                parts.Add(part);
        }
        return parts;
    }

    private static Gff3Part? Parse(string line, long number, LetterFile file, string featureType)
    {
        var columns = line.Split('\t');
        if (columns.Length != Columns)
            throw file.Malformed(number, FormattableString.Invariant($"the line has {columns.Length} columns; expected {Columns} with tabs between them."));
        if (columns[0].Length == 0)
            throw file.Malformed(number, "the first column is empty; expected the name of a sequence.");
        var (start, end) = (Coordinate(columns[3], "start", number, file), Coordinate(columns[4], "end", number, file));
        if (end < start)
            throw file.Malformed(number, FormattableString.Invariant($"the start {start} is behind the end {end}; expected start ≤ end on both strands."));
        if (columns[6] is not ("+" or "-" or "." or "?"))
            throw file.Malformed(number, $"the strand is '{columns[6]}'; expected '+', '-', '.' or '?'.");
        if (!Phases.Contains(columns[7]))
            throw file.Malformed(number, $"the phase is '{columns[7]}'; expected 0, 1, 2 or '.'.");
        if (columns[2] != featureType || columns[6] is "." or "?")
            return null;
        var id = columns[8].Split(';').Select(a => a.Trim()).FirstOrDefault(a => a.StartsWith("ID=", StringComparison.Ordinal));
        var feature = id is { Length: > 3 } ? id : FormattableString.Invariant($"line {number}");
        return new(Uri.UnescapeDataString(columns[0]), feature, start - 1, end, columns[6][0], Math.Max(0, Array.IndexOf(Phases, columns[7]) - 1));
    }

    private static long Coordinate(string text, string what, long number, LetterFile file) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= long.MaxValue / 4
            ? value
            : throw file.Malformed(number, $"the {what} is '{text}'; expected a whole number from 1.");
}
