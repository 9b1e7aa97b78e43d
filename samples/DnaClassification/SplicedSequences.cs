/// <summary>
/// Simulates windows of 60 nucleotides around gene boundaries, in the manner of the UCI splice-junction data: the class says
/// what sits between position 30 and 31: EI (an exon ends, an intron starts: a donor site), IE (an intron ends, an exon
/// starts: an acceptor site) or N (neither).
/// Every site is drawn letter by letter from the nucleotide frequencies of 22,199 verified mammalian GT-AG introns (SpliceDB:
/// Burset, Seledtsov and Solovyev, Nucleic Acids Research 29, 2001, pages 255-259; here in whole percent). They are the
/// numbers behind the consensus MAG|GTRAGT for donors and (Y)nNCAG|G for acceptors; the real thing also has dependencies
/// between positions, branch points and codons, none of which are simulated.
/// </summary>
internal static class SplicedSequences
{
    private const int Length = 60;
    private const int Boundary = Length / 2;
    private const string Letters = "ACGT";

    private const int DonorExonLetters = 3;
    private static readonly int[][] Donor = // 3 letters of the exon, then 6 of the intron
    [
        [34, 60, 9, 0, 0, 53, 71, 7, 16], // A
        [36, 13, 3, 0, 0, 3, 8, 6, 17], // C
        [18, 13, 80, 100, 0, 42, 12, 81, 21], // G
        [12, 14, 8, 0, 100, 2, 9, 6, 46], // T
    ];

    private const int AcceptorIntronLetters = 14;
    private static readonly int[][] Acceptor = // 14 letters of the intron, the last two AG, then one of the exon
    [
        [9, 8, 8, 7, 8, 8, 10, 9, 8, 8, 24, 4, 100, 0, 24], // A
        [31, 31, 31, 29, 33, 33, 37, 39, 41, 35, 31, 71, 0, 0, 14], // C
        [13, 12, 11, 10, 11, 11, 11, 9, 7, 6, 21, 0, 0, 100, 52], // G
        [42, 44, 47, 49, 47, 46, 41, 43, 45, 50, 24, 25, 0, 0, 10], // T
    ];

    private static readonly int[] Exon = [24, 27, 28, 21]; // A, C, G, T outside the sites, rounded
    private static readonly int[] Intron = [22, 24, 25, 29];

    /// <summary>Writes a tab-separated file with the columns label and sequence: a quarter EI, a quarter IE, half N.</summary>
    public static void Write(string path, int count, int seed)
    {
        var random = new Random(seed);
        var lines = Enumerable.Range(0, count).Select(i => (i % 4) switch
        {
            0 => "EI\t" + WithDonor(Boundary, random),
            1 => "IE\t" + WithAcceptor(Boundary, random),
            _ => "N\t" + WithoutBoundary(random),
        });
        File.WriteAllLines(path, lines.Prepend("label\tsequence"));
    }

    /// <summary>
    /// Half of what is called N is plain exon or intron; the rest would fool a model that looks for GT and AG alone (a lone GT
    /// or AG in the right place) or that ignores the place (a whole site elsewhere in the window).
    /// </summary>
    private static string WithoutBoundary(Random random) => random.Next(8) switch
    {
        0 or 1 => Plain(Exon, random),
        2 or 3 => Plain(Intron, random),
        4 => Plain(Exon, random).Remove(Boundary, 2).Insert(Boundary, "GT"),
        5 => Plain(Intron, random).Remove(Boundary - 2, 2).Insert(Boundary - 2, "AG"),
        6 => WithDonor(Elsewhere(random), random),
        _ => WithAcceptor(Elsewhere(random), random),
    };

    private static int Elsewhere(Random random) => Boundary + random.Next(6, 15) * (random.Next(2) * 2 - 1);

    private static string WithDonor(int boundary, Random random) =>
        Window(boundary, Exon, Intron, Donor, DonorExonLetters, random);

    private static string WithAcceptor(int boundary, Random random) =>
        Window(boundary, Intron, Exon, Acceptor, AcceptorIntronLetters, random);

    private static string Plain(int[] composition, Random random) =>
        new(Enumerable.Range(0, Length).Select(_ => Draw(composition, random)).ToArray());

    private static string Window(int boundary, int[] before, int[] after, int[][] site, int lettersBefore, Random random)
    {
        var start = boundary - lettersBefore;
        return new string(Enumerable.Range(0, Length).Select(i =>
            i < start ? Draw(before, random)
            : i < start + site[0].Length ? Draw([.. site.Select(letter => letter[i - start])], random)
            : Draw(after, random)).ToArray());
    }

    private static char Draw(int[] weights, Random random)
    {
        var ticket = random.Next(weights.Sum());
        var letter = 0;
        while (ticket >= weights[letter])
            ticket -= weights[letter++];
        return Letters[letter];
    }
}
