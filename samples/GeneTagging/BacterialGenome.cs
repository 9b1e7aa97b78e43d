/// <summary>
/// Simulates a stretch of a bacterial genome with its genes, in the manner of Escherichia coli: all numbers are counted in the
/// first 1,100,195 nucleotides of strain K-12 MG1655 (NCBI RefSeq NC_000913.3) and its 965 annotated coding sequences. Genes lie
/// on both strands, often several in a row on one; each has a ribosome binding site, a start codon, codons in their frequencies
/// and a stop codon. What lies between is drawn letter by letter with the GC content that genes have, so that the content tells
/// nothing. Real genes also overlap, avoid some pairs of codons, and have promoters and terminators, none of which are simulated.
/// </summary>
internal static class BacterialGenome
{
    private const string Letters = "TCAG";
    private const double GcContent = 0.52;
    private const int ShortestGap = 20; // room for a binding site
    private const int LettersPerLine = 80;

    // Per 1,000 codons; first letter: blocks of lines, second letter: lines, third letter: columns, each in the order T C A G.
    private static readonly double[] Codons =
    [
        22.2, 16.5, 13.1, 13.3,
        8.1, 8.7, 6.5, 9.1,
        16.3, 12.9, 0, 0,
        5.0, 6.5, 0, 16.0,

        10.4, 11.0, 3.8, 55.2,
        6.8, 5.7, 8.4, 24.5,
        12.7, 10.0, 15.4, 30.3,
        21.6, 22.7, 3.4, 5.7,

        29.8, 25.1, 3.8, 25.1,
        8.5, 24.4, 6.4, 14.6,
        16.5, 21.9, 32.9, 10.2,
        8.2, 16.7, 1.8, 1.1,

        17.7, 15.3, 10.8, 27.2,
        15.3, 26.2, 19.9, 35.5,
        31.9, 19.9, 39.4, 18.2,
        24.5, 30.6, 7.6, 11.4,
    ];

    private static readonly (string Text, double Weight)[] Starts = [("ATG", 866), ("GTG", 82), ("TTG", 16)];

    private static readonly (string Text, double Weight)[] Stops = [("TAA", 614), ("TGA", 285), ("TAG", 66)];

    // Pieces of AAGGAGG, which pairs with the end of the 16S ribosomal RNA, and the letters between it and the start codon.
    private static readonly (string Text, double Weight)[] BindingSites =
        [("AGGAG", 160), ("GGAG", 100), ("GAGG", 90), ("AAGGA", 84), ("AGGA", 78), ("GGA", 76), ("GAG", 60), ("AAGG", 59), ("GGAGG", 52), ("AGG", 44), ("", 162)];

    private static readonly (int Letters, double Weight)[] Spacings = [(4, 39), (5, 109), (6, 172), (7, 190), (8, 130), (9, 73), (10, 38), (11, 30)];

    /// <summary>Writes a genome as FASTA and its genes as GFF3.</summary>
    /// <param name="fasta">The file for the sequence.</param>
    /// <param name="gff">The file for the genes.</param>
    /// <param name="name">The name of the sequence.</param>
    /// <param name="length">Its length in nucleotides, reached by the last gene.</param>
    /// <param name="seed">Equal seeds write equal files.</param>
    public static void Write(string fasta, string gff, string name, int length, int seed)
    {
        var random = new Random(seed);
        var genome = new System.Text.StringBuilder(Background(200, random));
        var genes = new List<Gene>();
        var strand = '+';
        while (genome.Length < length)
        {
            var turns = random.NextDouble() < 0.3;
            strand = turns ? strand == '+' ? '-' : '+' : strand;
            genome.Append(Background(ShortestGap + (int)(-Math.Log(1 - random.NextDouble()) * (turns ? 200 : 100)), random));
            var (site, gene) = (BindingSite(random), CodingSequence(random));
            var start = genome.Length + (strand == '+' ? site.Length : 0);
            genome.Append(strand == '+' ? site + gene : ReadingFrames.OtherStrand(site + gene));
            genes.Add(new Gene(name, start, start + gene.Length, strand));
        }
        genome.Append(Background(200, random));

        File.WriteAllLines(fasta, genome.ToString().Chunk(LettersPerLine).Select(line => new string(line)).Prepend($">{name} simulated"));
        GeneFile.Write(gff, [new(name, genome.Length)], genes, "simulation");
    }

    private static string CodingSequence(Random random)
    {
        // Lengths are log-normal: half have more than 268 codons, two of three between 138 and 520.
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var codons = Math.Clamp((int)Math.Exp(Math.Log(268) + 0.66 * normal), 30, 1300);
        return Draw(Starts, random) + string.Concat(Enumerable.Range(0, codons).Select(_ => Codon(random))) + Draw(Stops, random);
    }

    private static string Codon(Random random)
    {
        var number = Draw(Codons, random);
        return new string([Letters[number / 16], Letters[number / 4 % 4], Letters[number % 4]]);
    }

    private static string BindingSite(Random random) => Draw(BindingSites, random) + Background(Draw(Spacings, random), random);

    private static string Background(int length, Random random) => new(Enumerable.Range(0, length)
        .Select(_ => random.NextDouble() < GcContent ? "GC"[random.Next(2)] : "AT"[random.Next(2)]).ToArray());

    private static T Draw<T>((T Value, double Weight)[] choices, Random random) => choices[Draw(choices.Select(c => c.Weight).ToArray(), random)].Value;

    private static int Draw(double[] weights, Random random)
    {
        var ticket = random.NextDouble() * weights.Sum();
        var choice = 0;
        while (choice < weights.Length - 1 && ticket >= weights[choice])
            ticket -= weights[choice++];
        return choice;
    }
}
