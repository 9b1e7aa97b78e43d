using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Audio;

public sealed class WaveReaderTests
{
    [Theory]
    [InlineData(1, 1, 8, new byte[] { 128, 255, 0, 64 }, new[] { 0f, 127 / 128f, -1f, -0.5f })]
    [InlineData(1, 2, 16, new byte[] { 0, 0, 0xFF, 0x7F, 0, 0x80, 0, 0xC0 }, new[] { 0f, 32767 / 32768f, -1f, -0.5f })]
    [InlineData(1, 3, 24, new byte[] { 0, 0, 0, 0, 0, 0x40, 0, 0, 0x80 }, new[] { 0f, 0.5f, -1f })]
    [InlineData(1, 3, 20, new byte[] { 0, 0, 0x40 }, new[] { 0.5f })]
    [InlineData(1, 4, 32, new byte[] { 0, 0, 0, 0x40, 0, 0, 0, 0x80 }, new[] { 0.5f, -1f })]
    [InlineData(3, 4, 32, new byte[] { 0, 0, 0, 0x3F, 0, 0, 0x80, 0xC0 }, new[] { 0.5f, -1f })] // -4 is clipped
    [InlineData(3, 8, 64, new byte[] { 0, 0, 0, 0, 0, 0, 0xE0, 0xBF }, new[] { -0.5f })]
    [InlineData(6, 1, 8, new byte[] { 0xD5, 0x55, 0xAA, 0x2A }, new[] { 8 / 32768f, -8 / 32768f, 32256 / 32768f, -32256 / 32768f })]
    [InlineData(7, 1, 8, new byte[] { 0xFF, 0x7F, 0x80, 0x00 }, new[] { 0f, 0f, 32124 / 32768f, -32124 / 32768f })]
    public void Each_coding_is_read_as_its_standard_says(int tag, int bytes, int bits, byte[] data, float[] expected)
    {
        var plain = new WaveBytes().Format(tag, 1, 8000, bytes, bits).Chunk("data", data).ToArray();
        var extensible = new WaveBytes().Format(0xFFFE, 1, 8000, bytes, bits, subFormat: tag).Chunk("data", data).ToArray();

        Assert.Equal(expected, Read(plain));
        Assert.Equal(expected, Read(extensible));
    }

    [Fact]
    public void Channels_are_averaged()
    {
        short[] samples = [16384, -16384, 0, 8192, 8192, 8192];
        var file = new WaveBytes().Format(1, 3, 8000, 2, 16).Chunk("data", [.. samples.SelectMany(BitConverter.GetBytes)]).ToArray();

        Assert.Equal([0f, 0.25f], Read(file));
    }

    [Fact]
    public void Unknown_chunks_and_odd_ones_are_passed_over_before_and_behind_the_samples()
    {
        var file = new WaveBytes().Chunk("JUNK", new byte[27]).Format(1, 1, 8000, 1, 8).Chunk("LIST", [1, 2, 3])
            .Chunk("data", [0, 128, 128]).Chunk("id3 ", new byte[5]).ToArray();

        Assert.Equal([-1f, 0f, 0f], Read(file));
    }

    [Theory]
    [InlineData("RF64")]
    [InlineData("BW64")]
    public void Lengths_in_64_bits_count(string container)
    {
        var file = new WaveBytes { Container = container }.Ds64(4).Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0x40, 0, 0xC0], claimed: uint.MaxValue).ToArray();

        Assert.Equal([0.5f, -0.5f], Read(file));
    }

    [Fact]
    public void Reading_in_pieces_gives_the_same_samples()
    {
        var random = new Random(1);
        var file = WaveBytes.Float32(8000, Enumerable.Range(0, 50_000).Select(_ => random.NextSingle()));
        using var reader = WaveReader.Open(new MemoryStream(file), "f");
        var pieces = new List<float>();
        var piece = new float[777];
        for (int read; (read = reader.Read(piece)) > 0;)
            pieces.AddRange(piece[..read]);

        Assert.Equal(Read(file), pieces);
    }

    public static TheoryData<string, byte[], string> Bad => new()
    {
        { "empty", [], "the file is empty; expected a WAV file." },
        { "short", [1, 2, 3], "the file has 3 bytes; expected a WAV file, whose header alone has 44." },
        { "other", [.. "OggS"u8, .. new byte[40]], "the file begins with 'OggS', bytes 8 to 11 are 0x00000000; expected 'RIFF', 'RF64' or 'BW64', and 'WAVE'." },
        { "header only", new WaveBytes().ToArray(), "there is no chunk 'fmt '; expected one before the samples." },
        { "no samples", new WaveBytes().Format(1, 1, 8000, 2, 16).ToArray(), "there is no chunk 'data'; expected one after 'fmt '." },
        { "zero samples", WaveBytes.Pcm16(8000), "the chunk 'data' is empty; expected at least one sample." },
        { "data first", new WaveBytes().Chunk("data", [0, 0]).Format(1, 1, 8000, 2, 16).ToArray(), "the chunk 'data' comes before any 'fmt '; expected 'fmt ' first." },
        { "gigabytes", new WaveBytes().Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0], claimed: 3_000_000_000).ToArray(), "the chunk 'data' claims 3000000000 bytes, the file has 2 left. It was cut short, or its header is wrong." },
        { "exabytes", new WaveBytes { Container = "RF64" }.Ds64(long.MaxValue).Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0], claimed: uint.MaxValue).ToArray(), "the chunk 'data' claims 9223372036854775807 bytes, the file has 2 left. It was cut short, or its header is wrong." },
        { "less than nothing", new WaveBytes { Container = "RF64" }.Ds64(-2).Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0], claimed: uint.MaxValue).ToArray(), "the chunk 'data' claims -2 bytes, the file has 2 left. It was cut short, or its header is wrong." },
        { "truncated", WaveBytes.Pcm16(8000, 1, 2, 3, 4)[..^3], "the chunk 'data' claims 8 bytes, the file has 5 left. It was cut short, or its header is wrong." },
        { "half a sample", new WaveBytes().Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0, 0]).ToArray(), "the chunk 'data' has 3 bytes; expected a multiple of 2, one sample of each of 1 channel(s)." },
        { "no channels", new WaveBytes().Format(1, 0, 8000, 2, 16).Chunk("data", [0, 0]).ToArray(), "the header claims 0 channels; expected at least 1." },
        { "no rate", WaveBytes.Pcm16(0, 1), "the header claims 0 Hz; expected 1000 to 1536000 Hz." },
        { "mp3", new WaveBytes().Format(0x55, 1, 8000, 1, 8).Chunk("data", [0, 0]).ToArray(), "the header claims format 0x0055 with 8 bits in 1 byte(s); expected PCM (0x0001) of 8, 16, 24 or 32 bits, float (0x0003) of 32 or 64, A-law (0x0006) or µ-law (0x0007) of 8. Convert the file to PCM." },
        { "wide", new WaveBytes().Format(1, 1, 8000, 8, 64).Chunk("data", new byte[8]).ToArray(), "the header claims format 0x0001 with 64 bits in 8 byte(s); expected PCM (0x0001) of 8, 16, 24 or 32 bits, float (0x0003) of 32 or 64, A-law (0x0006) or µ-law (0x0007) of 8. Convert the file to PCM." },
        { "not a number", WaveBytes.Float32(8000, [0, float.NaN]), "sample 1 is not a finite number; expected numbers in [-1, 1]." },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_no_good_file_is_named_with_what_was_expected_and_found(string name, byte[] file, string problem)
    {
        var error = Assert.Throws<MambaAudioException>(() => Read(file, name));

        Assert.Equal($"'{name}': {problem}", error.Message);
        Assert.Equal(name, error.Path);
    }

    [Fact]
    public void A_claim_is_checked_before_memory_is_taken()
    {
        var file = new WaveBytes().Format(1, 1, 8000, 2, 16).Chunk("data", [0, 0], claimed: 0xFFFF_FFF0).ToArray();
        Assert.Throws<MambaAudioException>(() => Read(file));
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<MambaAudioException>(() => Read(file));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        Assert.Contains("cannot be opened", Assert.Throws<MambaAudioException>(() => WaveReader.Open("/nowhere/a.wav")).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Assert.Throws<MambaAudioException>(() => WaveReader.Open(Path.GetTempPath())).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_first_stream_of_digits_has_the_samples_that_its_list_names()
    {
        var folder = SharedFolder.Path("data", "audio-digits");
        var rows = File.ReadLines(Path.Combine(folder, "streams_test.tsv")).Skip(1).Select(l => l.Split('\t')).Where(c => c[0] == "test-george-000").ToArray();
        var stream = new short[int.Parse(rows[^1][3], System.Globalization.CultureInfo.InvariantCulture) + 800];
        foreach (var row in rows)
        {
            var file = File.ReadAllBytes(new[] { "recordings", "" }.Select(f => Path.Combine(folder, f, row[1])).First(File.Exists));
            var samples = Read(file).Select(s => (short)(s * 32768)).ToArray();
            samples.CopyTo(stream, int.Parse(row[2], System.Globalization.CultureInfo.InvariantCulture));
        }

        Assert.Equal(30_976, stream.Length);
        Assert.StartsWith("4c3e2788d9b1a787", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<short>(stream))), StringComparison.Ordinal);
    }

    private static float[] Read(byte[] file, string name = "f")
    {
        using var reader = WaveReader.Open(new MemoryStream(file), name);
        var samples = new float[reader.Frames];
        Assert.Equal(samples.Length, reader.Read(samples));
        return samples;
    }
}
