using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class GeneAnnotationTests
{
    private readonly MLContext _ml = new(seed: 1);

    [SkippableTheory]
    [InlineData("dna-genes-ecoli", "train", 0, "db7e3cda54547e999338af6b5a03cef6577d46e760032155cc100672e63017b8")]
    [InlineData("dna-genes-ecoli", "test", 1000, "ce396e5fef66c7116817a0690a784b2b041b4426d4f6fdae5e3574fbbb6f7480")]
    [InlineData("dna-genes-ecoli", "test", 0, "ce396e5fef66c7116817a0690a784b2b041b4426d4f6fdae5e3574fbbb6f7480")]
    [InlineData("dna-genes-phix174", "genome", 77, "48868877864603d6cd145532b085a9784c3b8e1185b2e077b70fedcecb63faa2")]
    public void Labels_of_real_genomes_are_those_that_their_README_tells(string folder, string part, int window, string sha256)
    {
        var sequences = _ml.Data.LoadFromFasta(SharedFolder.Path("data", folder, $"{part}.fasta"), new FastaOptions { WindowLength = window });
        var gff = SharedFolder.Path("data", folder, $"{part}.gff3");

        var text = _ml.Data.LoadGeneAnnotation(sequences, gff, new GeneAnnotationOptions { AsText = true });
        var keys = _ml.Data.LoadGeneAnnotation(sequences, gff);
        var codons = _ml.Data.LoadGeneAnnotation(sequences, gff, new GeneAnnotationOptions { CodonPositions = true });

        Assert.Equal(sha256, Hash(string.Concat(text.GetColumn<string>("Labels"))));
        Assert.Equal(sha256, Hash(string.Concat(keys.GetColumn<uint[]>("Labels").SelectMany(k => k).Select(k => "?0+-"[(int)k]))));
        Assert.Equal(sha256, Hash(string.Concat(codons.GetColumn<uint[]>("Labels").SelectMany(k => k).Select(k => "?0+++---"[(int)k]))));
    }

    [Theory]
    [InlineData("s . CDS 3 5 . + 0 .", "00+++00000")]
    [InlineData("s . CDS 3 5 . - . ID=a", "00---00000")]
    [InlineData("s . gene 3 5 . + . .", "0000000000")]
    [InlineData("s . CDS 3 5 . . . .", "0000000000")]
    [InlineData("t . CDS 3 5 . + . .", "0000000000")]
    [InlineData("s . CDS 8 20 . + . .", "0000000+++")] // beyond the end
    [InlineData("s . CDS 1 6 . + . .|s . CDS 4 8 . - . .", "++++++--00")] // the longer wins
    [InlineData("s . CDS 1 4 . + . .|s . CDS 3 8 . - . .", "++------00")]
    [InlineData("s . CDS 1 4 . - . .|s . CDS 3 6 . + . .", "--++++0000")] // of equal ones the forward one
    [InlineData("s . CDS 1 8 . - . .|s . CDS 3 4 . + . .", "--------00")]
    [InlineData("s . CDS 1 3 . + . ID=a|s . CDS 8 10 . + . Name=x;ID=a|s . CDS 2 6 . - . ID=b", "+++---0+++")] // 6 in two parts beat 5
    [InlineData("##gff-version 3||# x|s . CDS 1 1 . + 2 .|##FASTA|>s|AC", "+000000000")]
    [InlineData("%73 . CDS 1 1 . + 2 .", "+000000000")]
    public void Labels(string lines, string expected)
    {
        Check(lines, expected, codonPositions: false);
    }

    // a, b, c: first to third position of a codon of the forward strand; x, y, z: of the reverse strand.
    [Theory]
    [InlineData("s . CDS 3 8 . + 0 .", "00abcabc00")]
    [InlineData("s . CDS 3 8 . - 0 .", "00zyxzyx00")]
    [InlineData("s . CDS 3 8 . + . .", "00abcabc00")]
    [InlineData("s . CDS 3 8 . + 1 .", "00cabcab00")]
    [InlineData("s . CDS 3 8 . + 2 .", "00bcabca00")]
    [InlineData("s . CDS 3 8 . - 1 .", "00yxzyxz00")]
    [InlineData("s . CDS 3 8 . - 2 .", "00xzyxzy00")]
    [InlineData("s . CDS 1 6 . + 0 .|s . CDS 5 7 . + 0 .", "abcabcc000")] // the longer wins; behind it the frame of the other
    [InlineData("s . CDS 1 3 . + 0 .|s . CDS 4 6 . + 0 .|s . CDS 7 10 . + 2 .", "abcabcbcab")]
    [InlineData("s . CDS 1 4 . + 0 ID=g|s . CDS 7 8 . + 2 ID=g", "abca00bc00")] // the codon goes on behind an intron
    [InlineData("s . CDS 7 8 . - 0 ID=g|s . CDS 1 4 . - 1 ID=g", "zyxz00yx00")]
    public void Codon_positions(string lines, string expected)
    {
        Check(lines, expected, codonPositions: true);
    }

    [Fact]
    public void Codon_positions_are_keys_and_no_text()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "s\t.\tCDS\t2\t4\t.\t-\t0\t.\n");
            var rows = _ml.Data.LoadFromEnumerable([new Row { Id = "s", Sequence = "ACGTA" }]);

            var labelled = _ml.Data.LoadGeneAnnotation(rows, path, new GeneAnnotationOptions { CodonPositions = true });

            Assert.Equal([[1, 7, 6, 5, 1]], labelled.GetColumn<uint[]>("Labels"));
            VBuffer<ReadOnlyMemory<char>> names = default;
            labelled.Schema["Labels"].GetKeyValues(ref names);
            Assert.Equal(["0", "+1", "+2", "+3", "-1", "-2", "-3"], names.DenseValues().Select(n => n.ToString()));
            Assert.Contains("expected one of them", Assert.Throws<ArgumentOutOfRangeException>(() =>
                _ml.Data.LoadGeneAnnotation(rows, path, new GeneAnnotationOptions { CodonPositions = true, AsText = true })).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    // In one piece and in windows.
    private static void Check(string lines, string expected, bool codonPositions)
    {
        var annotation = Read(lines);
        var letters = codonPositions ? "0abcxyz" : "0+-";
        string Fill(int start, int length)
        {
            var labels = new int[length];
            annotation.Fill("s", start, labels, codonPositions);
            return string.Concat(labels.Select(label => letters[label]));
        }
        Assert.Equal(expected, Fill(0, 10));
        Assert.Equal(expected, string.Concat(Enumerable.Range(0, 4).Select(i => Fill(3 * i, Math.Min(3, 10 - (3 * i))))));
    }

    [Fact]
    public void Many_overlapping_features_are_painted_as_one_by_one()
    {
        var random = new Random(1);
        var features = Enumerable.Range(0, 300).Select(_ => (From: random.Next(1, 900), Length: random.Next(1, 100), Strand: "+-"[random.Next(2)])).ToArray();
        var annotation = Read(string.Join('|', features.Select(f => $"s . CDS {f.From} {f.From + f.Length - 1} . {f.Strand} . .")));
        var expected = new string('0', 1000).ToCharArray();
        foreach (var (from, length, strand) in features.OrderBy(f => f.Length).ThenByDescending(f => f.Strand))
            expected.AsSpan(from - 1, length).Fill(strand);

        var labels = new int[1000];
        annotation.Fill("s", 0, labels, codonPositions: false);

        Assert.Equal(new string(expected), string.Concat(labels.Select(label => "0+-"[label])));
    }

    [Theory]
    [InlineData("s . CDS 3 5 . +", "the line has 7 columns; expected 9 with tabs between them.")]
    [InlineData("s . CDS 0 5 . + . .", "the start is '0'; expected a whole number from 1.")]
    [InlineData("s . CDS 1 x . + . .", "the end is 'x'; expected a whole number from 1.")]
    [InlineData("s . CDS 1 99999999999999999999 . + . .", "the end is '99999999999999999999'; expected a whole number from 1.")]
    [InlineData("s . CDS 5 3 . - . .", "the start 5 is behind the end 3; expected start ≤ end on both strands.")]
    [InlineData("s . CDS 3 5 . x . .", "the strand is 'x'; expected '+', '-', '.' or '?'.")]
    [InlineData("s . CDS 3 5 . + 3 .", "the phase is '3'; expected 0, 1, 2 or '.'.")]
    [InlineData(" . CDS 3 5 . + 0 .", "the first column is empty; expected the name of a sequence.")]
    public void A_malformed_line_is_named(string line, string problem)
    {
        var error = Assert.Throws<MambaSequenceFileException>(() => Read("##gff-version 3|" + line));

        Assert.Equal($"'f', line 2: {problem}", error.Message);
    }

    [Fact]
    public void Keys_have_the_labels_as_values_and_unknown_sequences_are_counted_once()
    {
        var warnings = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.RawMessage);
        };
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "s\t.\tCDS\t2\t3\t.\t-\t.\t.\n");
            var rows = _ml.Data.LoadFromEnumerable(new[] { new Row { Id = "s", Sequence = "ACGT" }, new Row { Id = "x", Sequence = "AC" }, new Row { Id = "y" } });

            var labelled = _ml.Data.LoadGeneAnnotation(rows, path);

            Assert.Equal([[1, 3, 3, 1], [1, 1], []], labelled.GetColumn<uint[]>("Labels"));
            VBuffer<ReadOnlyMemory<char>> names = default;
            labelled.Schema["Labels"].GetKeyValues(ref names);
            Assert.Equal(["0", "+", "-"], names.DenseValues().Select(n => n.ToString()));
            Assert.Contains("2 rows lie in sequences without features; all their labels are '0'", Assert.Single(warnings), StringComparison.Ordinal);
            Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Data.LoadGeneAnnotation(rows, path, new GeneAnnotationOptions { IdColumnName = "Name" }));
            Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Data.LoadGeneAnnotation(rows, path, new GeneAnnotationOptions { OutputColumnName = "" }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Hash(string labels) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(labels)));

    // Spaces stand for tabs, bars for ends of lines.
    private static GeneAnnotation Read(string lines)
    {
        using var file = LetterFile.Open(new MemoryStream(Encoding.UTF8.GetBytes(lines.Replace(' ', '\t').Replace('|', '\n'))), "f");
        return GeneAnnotation.Read(file, "CDS");
    }

    private sealed class Row
    {
        public string Id { get; set; } = "";

        public string Sequence { get; set; } = "";
    }
}
