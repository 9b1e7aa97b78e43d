using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>The genome that a sample simulates, its reading frames, and genes as files.</summary>
public sealed class BacterialGenomeTests : IDisposable
{
    private const int Length = 60_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-genome-").FullName;
    private readonly string _sequence;
    private readonly Gene[] _genes;

    public BacterialGenomeTests()
    {
        BacterialGenome.Write(Fasta, Gff, "genome", Length, seed: 5);
        _sequence = string.Concat(File.ReadLines(Fasta).Skip(1));
        _genes = GeneFile.Read(Gff);
    }

    private string Fasta => Path.Combine(_folder, "genome.fasta");

    private string Gff => Path.Combine(_folder, "genome.gff3");

    [Fact]
    public void Genes_begin_with_a_start_codon_end_with_a_stop_codon_and_have_none_inside()
    {
        Assert.All(_genes, gene =>
        {
            var codons = Own(gene).Chunk(3).Select(c => new string(c)).ToArray();
            Assert.Contains(codons[0], new[] { "ATG", "GTG", "TTG" });
            Assert.Equal(codons.Length - 1, Array.FindIndex(codons, c => c is "TAA" or "TAG" or "TGA"));
        });
    }

    [Fact]
    public void Genes_lie_on_both_strands_apart_and_fill_most_of_the_genome()
    {
        Assert.True(_genes.Count(g => g.Strand == '+') > 10 && _genes.Count(g => g.Strand == '-') > 10);
        Assert.All(_genes.Zip(_genes.Skip(1)), pair => Assert.True(pair.Second.From >= pair.First.To + 20));
        Assert.InRange(_genes.Sum(g => g.Length) / (double)_sequence.Length, 0.8, 0.92);
    }

    [Fact]
    public void What_lies_between_genes_has_the_GC_content_of_genes()
    {
        var inside = _genes.SelectMany(g => _sequence[g.From..g.To]).ToArray();
        var outside = _genes.Zip(_genes.Skip(1)).SelectMany(pair => _sequence[pair.First.To..pair.Second.From]).ToArray();

        Assert.InRange(Gc(inside) - Gc(outside), -0.03, 0.03);

        static double Gc(char[] letters) => letters.Count(c => c is 'G' or 'C') / (double)letters.Length;
    }

    [Fact]
    public void Every_gene_is_a_reading_frame_whose_last_start_or_an_earlier_one_is_its_own()
    {
        var longest = ReadingFrames.LongestOnes("genome", _sequence, shortest: 0).ToDictionary(g => g.End);

        Assert.All(_genes, gene => Assert.True(longest[gene.End].Length >= gene.Length));
    }

    [Fact]
    public void Sure_probabilities_give_the_genes_back_with_their_start_codons()
    {
        var (forward, reverse) = (new float[_sequence.Length], new float[_sequence.Length]);
        foreach (var gene in _genes)
            (gene.Strand == '+' ? forward : reverse).AsSpan(gene.From, gene.Length).Fill(1);

        var found = GeneFinder.Find("genome", _sequence, forward, reverse);

        var expected = _genes.Where(g => g.Length >= GeneFinder.Shortest).ToArray();
        Assert.Equal(expected.Select(g => g.Place), found.Select(g => g.Place));
        Assert.Equal(new GeneCounts(expected.Length, expected.Length, expected.Length, 0), GeneCounts.Of(found, expected));
    }

    [Fact]
    public void A_file_of_genes_read_back_gives_their_labels()
    {
        Gene[] genes = [new("a b;1", 2, 8, '+', 0.75), new("a b;1", 9, 12, '-', 0.5), new("two", 0, 3, '-')];
        var path = Path.Combine(_folder, "written.gff3");
        GeneFile.Write(path, [new("a b;1", 13), new("two", 4)], genes, "test");

        Assert.Contains("a%20b%3B1\ttest\tCDS\t3\t8\t0.750\t+\t0\tID=gene1", File.ReadAllLines(path));
        Assert.Equal(genes.Select(g => g.Place), GeneFile.Read(path).Select(g => g.Place));
        var ml = new MLContext();
        var rows = ml.Data.LoadFromEnumerable([new Row { Id = "a b;1", Sequence = "ACGTACGTACGTA" }, new Row { Id = "two", Sequence = "ACGT" }]);
        var labels = ml.Data.LoadGeneAnnotation(rows, path, new GeneAnnotationOptions { AsText = true }).GetColumn<string>("Labels");
        Assert.Equal(["00++++++0---0", "---0"], labels);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Own(Gene gene)
    {
        var letters = _sequence[gene.From..gene.To];
        return gene.Strand == '+' ? letters : ReadingFrames.OtherStrand(letters);
    }

    private sealed class Row
    {
        public string Id { get; set; } = "";

        public string Sequence { get; set; } = "";
    }
}
