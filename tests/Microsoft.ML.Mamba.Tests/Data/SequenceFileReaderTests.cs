using System.IO.Compression;
using System.Text;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class SequenceFileReaderTests
{
    [Theory]
    [InlineData(">a\nACGT\nAC\n", "a|ACGTAC")]
    [InlineData(">a\r\nACGT\r\nAC\r\n>b\r\nG", "a|ACGTAC b|G")]
    [InlineData("\n\n>a  \nAC GT\n\nA\t\n", "a|ACGTA")]
    [InlineData(">a\n>b\nA", "a| b|A")] // a record without letters
    [InlineData(">\nA", "|A")]
    [InlineData("\uFEFF>a\nA", "a|A")]
    [InlineData(";comment\n>a\n;comment\nAC\n;comment\nGT\n;end", "a|ACGT")]
    [InlineData(";old header\n;comment\nACGT\n;comment\n", "old|ACGT")]
    [InlineData(";one\nAC\nGT\n;two\nA*\n", "one|ACGT two|A*")]
    [InlineData(";only\n;comments", "")]
    [InlineData(">a\nMKV-.*xn\n", "a|MKV-.*xn")]
    [InlineData(">ä€\nA", "ä€|A")]
    public void Fasta(string text, string expected) => Assert.Equal(expected, Records(text));

    [Fact]
    public void Bytes_that_are_no_UTF_8_in_a_header_become_replacement_characters()
    {
        using var reader = Open([(byte)'>', 0xFF, 0xFE, (byte)'\n', (byte)'A'], new());

        Assert.True(reader.MoveNext());
        Assert.Equal("\uFFFD\uFFFD", reader.Id);
    }

    [Theory]
    [InlineData("@a x\nAC\n+\n!~\n@b\nG\n+b\n@", "a|AC|!~ b|G|@")]
    [InlineData("@a\r\nAC\r\nGT\r\n+a\r\n@@\r\n++\r\n\r\n", "a|ACGT|@@++")]
    [InlineData("@a\n\n+\n\n@b\nA\n+\n!\n", "a|| b|A|!")]
    public void Fastq(string text, string expected) => Assert.Equal(expected, Records(text));

    [Theory]
    [InlineData(4, 4, false, "0:ACGT 4:ACGT 8:A")]
    [InlineData(4, 4, true, "0:ACGT 4:ACGT")]
    [InlineData(4, 2, false, "0:ACGT 2:GTAC 4:ACGT 6:GTA")]
    [InlineData(4, 5, false, "0:ACGT 5:CGTA")]
    [InlineData(4, 7, false, "0:ACGT 7:TA")]
    [InlineData(4, 9, false, "0:ACGT")]
    [InlineData(4, 100, false, "0:ACGT")]
    [InlineData(9, 1, false, "0:ACGTACGTA")]
    [InlineData(8, 1, true, "0:ACGTACGT 1:CGTACGTA")]
    [InlineData(10, 1, false, "0:ACGTACGTA")]
    [InlineData(10, 1, true, "")]
    [InlineData(1, 3, false, "0:A 3:T 6:G")]
    public void Windows_are_the_same_in_both_formats_and_wherever_lines_end(int window, int stride, bool drop, string expected)
    {
        var options = new FastaOptions { WindowLength = window, WindowStride = stride, DropShortWindows = drop };
        foreach (var text in new[] { ">a\nACGTACGTA\n", ">a\nA\nCG\r\nTACG\nTA", "@a\nACGTA\nCGTA\n+\nABCDEFGHI\n" })
            Assert.Equal(expected, Windows(text, options));
        Assert.Equal($"{expected} {expected}".Trim(), Windows(">a\nACGTACGTA\n>empty\n>b\nACGTACGTA\n", options));
    }

    [Fact]
    public void Lower_case_stays_or_becomes_upper_case()
    {
        Assert.Equal("a|acGT", Records(">a\nacGT"));
        Assert.Equal("a|ACGT", Records(">a\nacGT", new FastaOptions { UpperCase = true }));
    }

    [Theory]
    [InlineData(">a\nAC\nG1T\n", 3, "'1' in the sequence of 'a'; expected letters, '*', '-' or '.'.")]
    [InlineData(">a\nAC>b\n", 2, "'>' in the sequence of 'a'; expected letters, '*', '-' or '.'.")]
    [InlineData(">a\nAé\n", 2, "the byte 0xC3 in the sequence of 'a'; expected letters, '*', '-' or '.'.")]
    [InlineData(">a\nAC\n\0\n", 3, "the byte 0x00 in the sequence of 'a'; expected letters, '*', '-' or '.'.")]
    [InlineData("@a\nAC\n", 1, "the file ends within the record 'a'; expected a line that begins with '+'.")]
    [InlineData("@a\nAC\n+\n!", 1, "the file ends within the quality of 'a': 1 characters; expected 2, as many as letters.")]
    [InlineData("@a\nAC\n+\n!!!\n", 4, "the quality of 'a' has more than 2 characters; expected as many as letters.")]
    [InlineData("@a\nAC\n+\n! \n", 4, "' ' in the quality of 'a'; expected '!' to '~'.")]
    [InlineData("@a\nAC\n+b\n!!\n", 3, "the line after '+' is 'b'; expected nothing, or the header 'a' again.")]
    [InlineData("@a\nAC\n+\n!!\nACGT\n", 5, "'A' at the start of a record; expected '@'.")]
    public void A_malformed_record_is_named_with_its_line(string text, long line, string problem)
    {
        var error = Assert.Throws<MambaSequenceFileException>(() => Records(text));

        Assert.Equal($"'f', line {line}: {problem}", error.Message);
        Assert.Equal(("f", line), (error.Path, error.Line));
    }

    [Fact]
    public void A_record_beyond_the_limit_is_an_error_that_names_the_cure()
    {
        var options = new FastaOptions { MaxSequenceLength = 4 };
        Assert.Equal("a|ACGT", Records(">a\nACGT", options));

        var fasta = Assert.Throws<MambaSequenceFileException>(() => Records(">a\nACG\nTA", options));
        Assert.Equal("'f', line 1: the record 'a' has more than 4 letters. Set WindowLength to read it in windows, or a larger MaxSequenceLength to hold it as a whole.", fasta.Message);
        var fastq = Assert.Throws<MambaSequenceFileException>(() => Records("@a\nACGTA\n+\n!!!!!", options));
        Assert.Equal("'f', line 1: the record 'a' has more than 4 letters. Set a larger MaxSequenceLength.", fastq.Message);
        Assert.Equal("0:ACGTA", Windows(">a\nACGTA", new FastaOptions { MaxSequenceLength = 4, WindowLength = 5 }));
    }

    [Fact]
    public void Gzip_is_found_by_content_and_may_have_several_members()
    {
        byte[] file = [.. Zip(">a\nACG"), .. Zip("T\n>b"), .. Zip("\nGG\n")];

        Assert.Equal("a|ACGT b|GG", Records(file));
        Assert.Equal("", Records(Zip("")));
    }

    [Fact]
    public void Damaged_gzip_is_named()
    {
        var random = new Random(1);
        var zipped = Zip(">a\n" + string.Concat(Enumerable.Range(0, 10_000).Select(_ => "ACGT"[random.Next(4)])));
        zipped[zipped.Length / 2] ^= 0xFF;

        var error = Assert.Throws<MambaSequenceFileException>(() => Records(zipped));

        Assert.Contains("'f', line ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzip_file_that_was_cut_short_is_named()
    {
        var random = new Random(1);
        var zipped = Zip(">a\n" + string.Concat(Enumerable.Range(0, 10_000).Select(_ => "ACGT"[random.Next(4)])));

        foreach (var length in new[] { zipped.Length / 2, zipped.Length - 4, zipped.Length - 9 })
            Assert.Throws<MambaSequenceFileException>(() => Records(zipped[..length]));
    }

    [Fact]
    public void Records_may_end_anywhere_within_the_blocks_that_are_read()
    {
        for (var length = (1 << 16) - 5; length < (1 << 16) + 5; length++)
        {
            var letters = new string('A', length);
            Assert.Equal($"a|{letters} b|{letters}", Records($">a\r\n{letters}\r\n>b\r\n{letters}\r\n"));
        }
    }

    [Fact]
    public void A_header_without_end_is_refused_before_it_fills_the_memory()
    {
        var error = Assert.Throws<MambaSequenceFileException>(() => Records(">" + new string('x', 2_000_000)));

        Assert.Equal("'f', line 1: the line has more than 1048576 bytes.", error.Message);
    }

    private static string Records(string text, FastaOptions? options = null) => Records(Encoding.UTF8.GetBytes(text), options);

    private static string Records(byte[] file, FastaOptions? options = null)
    {
        using var reader = Open(file, options ?? new());
        var rows = new List<string>();
        while (reader.MoveNext())
            rows.Add($"{reader.Id}|{Encoding.ASCII.GetString(reader.Letters)}" + (reader is FastqReader ? $"|{Encoding.ASCII.GetString(reader.Quality)}" : ""));
        return string.Join(' ', rows);
    }

    private static string Windows(string text, FastaOptions options)
    {
        using var reader = Open(Encoding.UTF8.GetBytes(text), options);
        var rows = new List<string>();
        while (reader.MoveNext())
            rows.Add($"{reader.Start}:{Encoding.ASCII.GetString(reader.Letters)}");
        return string.Join(' ', rows);
    }

    private static SequenceFileReader Open(byte[] file, FastaOptions options)
    {
        using var probe = LetterFile.Open(new MemoryStream(file), "f");
        return SequenceFileReader.Create(LetterFile.Open(new MemoryStream(file), "f"), options, SequenceFileReader.FormatOf(probe));
    }

    private static byte[] Zip(string text)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return stream.ToArray();
    }
}
