using System.IO.Compression;
using System.Text;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Tests.Audio;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>WAV, FASTA, FASTQ and GFF3 files with bytes changed, cut and repeated: whatever comes in, only the documented exceptions come out.</summary>
public sealed class InputFileFuzzTests
{
    private const int Mutations = 5_000;

    /// <summary>What stands for something else in one of the formats.</summary>
    private static readonly byte[][] Words =
    [
        "RIFF"u8.ToArray(), "RF64"u8.ToArray(), "WAVE"u8.ToArray(), "fmt "u8.ToArray(), "data"u8.ToArray(), "ds64"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0],
        [0, 0, 0, 0x80], [0xFE, 0xFF], [1, 0], [3, 0], [6, 0], [7, 0], [0x80, 0xBB, 0, 0], [0, 0, 0xC0, 0x7F],
        ">"u8.ToArray(), ";"u8.ToArray(), "@"u8.ToArray(), "+"u8.ToArray(), "\n"u8.ToArray(), "\r\n"u8.ToArray(), "\t"u8.ToArray(), "ID="u8.ToArray(), "%"u8.ToArray(), "%zz"u8.ToArray(),
        "9223372036854775807"u8.ToArray(), "-1"u8.ToArray(), "##FASTA"u8.ToArray(), [0x1F, 0x8B, 8], [0xEF, 0xBB, 0xBF], [0xFF],
    ];

    public static TheoryData<string, byte[]> Waves => new()
    {
        { "PCM", WaveBytes.Pcm16(44_100, [.. Enumerable.Range(0, 300).Select(i => (short)(100 * i))]) },
        { "float", WaveBytes.Float32(8_000, Enumerable.Range(0, 200).Select(i => i / 200f)) },
        { "extensible", new WaveBytes().Chunk("LIST", [1, 2, 3]).Format(0xFFFE, 2, 48_000, 3, 24, subFormat: 1).Chunk("data", new byte[600]).ToArray() },
        { "64 bits", new WaveBytes { Container = "RF64" }.Ds64(400).Format(7, 1, 8_000, 1, 8).Chunk("data", new byte[400], claimed: uint.MaxValue).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Waves))]
    public void Wave_files(string name, byte[] valid)
    {
        Assert.NotEmpty(name);
        var files = new AudioFile();
        float[] room = [];
        Fuzz<MambaAudioException>(valid, most: 64 << 10, file =>
        {
            using var reader = WaveReader.Open(new MemoryStream(file), "f");
            files.Read(reader, "f", 8_000, resample: reader.Format.SampleRate % 1000 == 0 || reader.Format.SampleRate == 44_100, count =>
            {
                Assert.InRange(count, 1, 8 * file.Length);
                room = room.Length < count ? new float[count] : room;
                return room.AsSpan(0, count);
            });
        });
    }

    [Theory]
    [InlineData(">a one\nACGTACGT\nAC\n;comment\n>b\r\nACG\r\n>c\n")]
    [InlineData(";old\nACGT\nACGT\n;b\nAC\n")]
    [InlineData("@a one\nACGTA\nCG\n+a one\n!!!!!\n@@\n@b\nAC\n+\n++\n")]
    public void Sequence_files(string text)
    {
        foreach (var options in new[] { new FastaOptions(), new FastaOptions { WindowLength = 3, WindowStride = 2 }, new FastaOptions { WindowLength = 4, WindowStride = 7, DropShortWindows = true, MaxSequenceLength = 8 } })
            Fuzz<MambaSequenceFileException>(Encoding.ASCII.GetBytes(text), most: 256 << 10, file => ReadAll(file, options), validMayFail: options.MaxSequenceLength == 8);
    }

    [Fact]
    public void Packed_sequence_files()
    {
        using var stream = new MemoryStream();
        foreach (var member in new[] { ">a\nACGTAC", "GT\n>b\nGGGG\n" })
        {
            using var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(Encoding.ASCII.GetBytes(member));
        }
        Fuzz<MambaSequenceFileException>(stream.ToArray(), most: 1 << 20, file => ReadAll(file, new FastaOptions()));
    }

    [Fact]
    public void Annotations() => Fuzz<MambaSequenceFileException>(
        "##gff-version 3\ns\t.\tCDS\t3\t50\t.\t+\t0\tID=a;Name=x\ns\t.\tCDS\t30\t70\t.\t-\t0\tID=b\n%73\t.\tCDS\t90\t99\t.\t-\t.\tID=b\n##FASTA\n>s\nACGT\n"u8.ToArray(), most: 256 << 10, bytes =>
        {
            using var file = LetterFile.Open(new MemoryStream(bytes), "f");
            var labels = new int[100];
            GeneAnnotation.Read(file, "CDS").Fill("s", 0, labels, codonPositions: true);
            Assert.All(labels, label => Assert.InRange(label, 0, GeneAnnotation.Labels(codonPositions: true).Length - 1));
        });

    private static void ReadAll(byte[] file, FastaOptions options)
    {
        using var probe = LetterFile.Open(new MemoryStream(file), "f");
        var format = SequenceFileReader.FormatOf(probe);
        using var reader = SequenceFileReader.Create(LetterFile.Open(new MemoryStream(file), "f"), options, format == SequenceFileFormat.Empty ? SequenceFileFormat.Fasta : format);
        for (var rows = 0; reader.MoveNext(); rows++)
        {
            Assert.InRange(rows, 0, 1000 + file.Length);
            Assert.True(reader.Quality.Length == 0 || reader.Quality.Length == reader.Letters.Length);
        }
    }

    private static void Fuzz<TDocumented>(byte[] valid, long most, Action<byte[]> read, bool validMayFail = false)
        where TDocumented : Exception
    {
        if (!validMayFail)
            read(valid);
        var random = new Random(7);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Mutations; i++)
        {
            var file = Mutate(valid, random);
            try
            {
                read(file);
            }
            catch (TDocumented)
            {
                continue;
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {i} of {valid.Length} bytes: {e}");
            }
        }

        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Mutations;
        Assert.True(each < most + (100 * valid.Length), $"a mutation of {valid.Length} bytes allocated {each} bytes");
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        var file = valid.ToList();
        for (var changes = 1 + random.Next(3); changes > 0 && file.Count > 0; changes--)
        {
            var at = random.Next(2) == 0 ? random.Next(file.Count) : random.Next(Math.Min(64, file.Count)); // headers are where it hurts
            var count = Math.Min(1 + random.Next(16), file.Count - at);
            var word = Words[random.Next(Words.Length)];
            switch (random.Next(7))
            {
                case 0: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: file[at] = (byte)random.Next(256); break;
                case 2: file.RemoveRange(at, count); break;
                case 3: file.InsertRange(at, file.GetRange(random.Next(file.Count - count + 1), count)); break;
                case 4: file.RemoveRange(at, file.Count - at); break;
                case 5: file.InsertRange(at, word); break;
                default:
                    for (var i = 0; i < word.Length && at + i < file.Count; i++)
                        file[at + i] = word[i];
                    break;
            }
        }
        return [.. file];
    }
}
