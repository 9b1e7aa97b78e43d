using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A window of a genome, and whether most of it is coding on either strand.</summary>
internal sealed class GenomeWindow
{
    public const int Length = 512;

    // Blocks of 88,000 nucleotides to learn from and 22,000 to choose settings by, in turns, since genes differ along a genome.
    private const int LearnBlock = 88_000, ChooseBlock = 22_000;

    public string Sequence { get; set; } = "";

    public bool Label { get; set; }

    /// <summary>Whether each nucleotide is coding.</summary>
    [NoColumn]
    public bool[] Coding { get; set; } = [];

    /// <summary>The other strand: read backwards, each nucleotide replaced by the one that pairs with it.</summary>
    public GenomeWindow ReverseComplement() => new()
    {
        Sequence = string.Concat(Sequence.Reverse().Select(letter => letter switch { 'A' => 'T', 'C' => 'G', 'G' => 'C', 'T' => 'A', _ => letter })),
        Label = Label,
        Coding = [.. Coding.Reverse()],
    };

    /// <summary>
    /// Part test: windows of train.fasta against those of test.fasta. Part valid, for choosing settings: four fifths of train.fasta,
    /// block by block, against the rest. Training windows overlap by half, the others do not overlap.
    /// </summary>
    public static (GenomeWindow[] Train, GenomeWindow[] Judge) Load(DirectoryInfo folder, string part)
    {
        (string genome, bool[] coding) = Read(folder, "train");
        if (part == "test")
        {
            (string testGenome, bool[] testCoding) = Read(folder, "test");
            return (Cut(genome, coding, 0, genome.Length, Length / 2), Cut(testGenome, testCoding, 0, testGenome.Length, Length));
        }

        List<GenomeWindow> train = [], judge = [];
        for (int start = 0; start < genome.Length; start += LearnBlock + ChooseBlock)
        {
            int middle = Math.Min(genome.Length, start + LearnBlock), end = Math.Min(genome.Length, middle + ChooseBlock);
            train.AddRange(Cut(genome, coding, start, middle, Length / 2));
            judge.AddRange(Cut(genome, coding, middle, end, Length));
        }

        return ([.. train], [.. judge]);
    }

    private static GenomeWindow[] Cut(string genome, bool[] coding, int from, int to, int stride) =>
    [
        .. Enumerable.Range(0, Math.Max(0, ((to - from - Length) / stride) + 1)).Select(i => from + (i * stride)).Where(start => start + Length <= to).Select(start => new GenomeWindow
        {
            Sequence = genome.Substring(start, Length),
            Label = coding.AsSpan(start, Length).Count(true) > Length / 2,
            Coding = coding[start..(start + Length)],
        }),
    ];

    /// <summary>The one sequence of a FASTA file, and the union of the coding sequences of its GFF3 file (from 1, both ends included).</summary>
    private static (string Genome, bool[] Coding) Read(DirectoryInfo folder, string name)
    {
        string genome = string.Concat(File.ReadLines(Path.Combine(folder.FullName, $"{name}.fasta")).Where(line => !line.StartsWith('>')).Select(line => line.Trim()));
        bool[] coding = new bool[genome.Length];
        foreach (string[] fields in File.ReadLines(Path.Combine(folder.FullName, $"{name}.gff3")).Select(line => line.Split('\t')).Where(f => f.Length > 4 && f[2] == "CDS"))
        {
            int first = int.Parse(fields[3], System.Globalization.CultureInfo.InvariantCulture) - 1;
            coding.AsSpan(first, int.Parse(fields[4], System.Globalization.CultureInfo.InvariantCulture) - first).Fill(true);
        }

        return (genome, coding);
    }
}
