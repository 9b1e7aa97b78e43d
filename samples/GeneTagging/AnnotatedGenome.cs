using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;

/// <summary>A genome with its known genes: a FASTA and a GFF3 file of one name in one folder.</summary>
internal sealed class AnnotatedGenome
{
    private static readonly string[] StopCodons = ["TAA", "TAG", "TGA"];

    private readonly MLContext _ml;
    private readonly string _fasta;
    private readonly string _gff;

    /// <summary>Takes a pair of files.</summary>
    /// <exception cref="InvalidDataException">They do not belong together.</exception>
    public AnnotatedGenome(MLContext ml, string folder, string name)
    {
        (_ml, _fasta, _gff) = (ml, Path.Combine(folder, name + ".fasta"), Path.Combine(folder, name + ".gff3"));
        Records = [.. ml.Data.CreateEnumerable<FastaRecord>(Sequences(0), reuseRowObject: false)];
        _ = ml.Data.LoadGeneAnnotation(Sequences(0), _gff); // checks every line
        Genes = GeneFile.Read(_gff);
        Check();
    }

    /// <summary>All sequences, each whole.</summary>
    public FastaRecord[] Records { get; }

    /// <summary>All genes.</summary>
    public Gene[] Genes { get; }

    /// <summary>Nucleotides.</summary>
    public int Length => Records.Sum(r => r.Sequence.Length);

    /// <summary>The names of a folder's files that are needed and not there.</summary>
    public static string[] MissingIn(string folder) =>
        [.. new[] { "train.fasta", "train.gff3", "test.fasta", "test.gff3" }.Where(file => !File.Exists(Path.Combine(folder, file)))];

    /// <summary>The rows: each sequence, or windows of it, with keys for each nucleotide: columns Label (strands) and Codons (positions in codons).</summary>
    /// <param name="windowLength">Nucleotides per row; 0: whole sequences.</param>
    public IDataView Rows(int windowLength) => WithLabels(WithLabels(Sequences(windowLength), _gff, "Label"), _gff, "Codons", codonPositions: true);

    /// <summary>The same with a column PredictedLabel, from the genes of another file.</summary>
    public IDataView Rows(int windowLength, string foundGenes) => WithLabels(Rows(windowLength), foundGenes, "PredictedLabel");

    private IDataView WithLabels(IDataView rows, string gff, string column, bool codonPositions = false) =>
        _ml.Data.LoadGeneAnnotation(rows, gff, new GeneAnnotationOptions { OutputColumnName = column, CodonPositions = codonPositions });

    private IDataView Sequences(int windowLength) => _ml.Data.LoadFromFasta(_fasta, new FastaOptions { WindowLength = windowLength, UpperCase = true });

    // Genes of another genome would be learnt from all the same, to no use.
    private void Check()
    {
        var sequences = Records.DistinctBy(r => r.Id).ToDictionary(r => r.Id, r => r.Sequence);
        var known = Genes.Where(g => sequences.ContainsKey(g.Sequence)).ToArray();
        if (known.Length == 0)
        {
            throw new InvalidDataException(
                $"{_gff} has no CDS of a sequence in {_fasta}. The sequences there are {Some(sequences.Keys)}; the genes lie in {Some(Genes.Select(g => g.Sequence).Distinct())}.");
        }
        if (known.FirstOrDefault(g => g.To > sequences[g.Sequence].Length) is { } beyond)
        {
            throw new InvalidDataException(
                $"{_gff} has a CDS that ends at {beyond.To} of '{beyond.Sequence}', which has {sequences[beyond.Sequence].Length} nucleotides in {_fasta}. Is it that of another genome?");
        }
        var stopped = known.Count(g => StopCodons.Contains(LastCodon(sequences[g.Sequence], g)));
        if (stopped < known.Length / 2.0)
        {
            throw new InvalidDataException(
                $"Only {stopped} of {known.Length} CDS in {_gff} end with a stop codon in {_fasta}. Is it that of another genome, or one with introns? Expected genes in one piece, as bacteria have.");
        }
    }

    private static string LastCodon(string sequence, Gene gene) => gene.Length < 3 ? ""
        : gene.Strand == '+' ? sequence[(gene.To - 3)..gene.To]
        : ReadingFrames.OtherStrand(sequence[gene.From..(gene.From + 3)]);

    private static string Some(IEnumerable<string> names)
    {
        var first = names.Take(4).Select(n => $"'{n}'").ToArray();
        return first.Length == 0 ? "none" : string.Join(", ", first.Take(3)) + (first.Length > 3 ? ", …" : "");
    }

    internal sealed class FastaRecord
    {
        public string Id { get; set; } = "";

        public string Sequence { get; set; } = "";
    }
}
