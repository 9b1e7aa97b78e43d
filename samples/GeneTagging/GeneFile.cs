using System.Globalization;

/// <summary>Genes as GFF3: nine columns with tabs between them, coordinates from 1 with both ends included.</summary>
internal static class GeneFile
{
    /// <summary>Writes genes as coding sequences (CDS), sequence by sequence, from left to right.</summary>
    /// <param name="path">The file.</param>
    /// <param name="regions">All sequences, also those without a gene.</param>
    /// <param name="genes">The genes.</param>
    /// <param name="source">The second column: who says so.</param>
    public static void Write(string path, IReadOnlyList<Region> regions, IEnumerable<Gene> genes, string source)
    {
        var genesOf = genes.ToLookup(g => g.Sequence);
        using var file = new StreamWriter(path);
        file.NewLine = "\n";
        file.WriteLine("##gff-version 3");
        foreach (var region in regions.Where(r => r.Length > 0))
            file.WriteLine(FormattableString.Invariant($"##sequence-region {Escaped(region.Name)} 1 {region.Length}"));
        var number = 0;
        foreach (var gene in regions.SelectMany(r => genesOf[r.Name].OrderBy(g => g.From)))
        {
            var score = double.IsNaN(gene.Score) ? "." : gene.Score.ToString("F3", CultureInfo.InvariantCulture);
            file.WriteLine(FormattableString.Invariant($"{Escaped(gene.Sequence)}\t{source}\tCDS\t{gene.From + 1}\t{gene.To}\t{score}\t{gene.Strand}\t0\tID=gene{++number}"));
        }
    }

    /// <summary>Reads the coding sequences of a file that <c>LoadGeneAnnotation</c> has accepted.</summary>
    public static Gene[] Read(string path) =>
    [
        .. File.ReadLines(path).TakeWhile(line => line != "##FASTA").Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'))
            .Where(c => c[2] == "CDS" && c[6] is "+" or "-")
            .Select(c => new Gene(Uri.UnescapeDataString(c[0]), Number(c[3]) - 1, Number(c[4]), c[6][0])),
    ];

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    // The first column takes these letters as they are, and all others by their code.
    private static string Escaped(string name) => string.Concat(name.Select(c =>
        char.IsAsciiLetterOrDigit(c) || ".:^*$@!+_?-|".Contains(c, StringComparison.Ordinal) ? c.ToString() : Uri.HexEscape(c)));
}
