using System.Text;

namespace Microsoft.ML.Mamba.Tests.Audio;

/// <summary>Writes WAV files of every kind that is read, and broken ones.</summary>
internal sealed class WaveBytes
{
    private readonly List<(string Name, byte[] Content, uint? Claimed)> _chunks = [];

    public string Container { get; init; } = "RIFF";

    public static byte[] Pcm16(int rate, params short[] samples) =>
        new WaveBytes().Format(1, 1, rate, 2, 16).Chunk("data", [.. samples.SelectMany(BitConverter.GetBytes)]).ToArray();

    public static byte[] Float32(int rate, IEnumerable<float> samples) =>
        new WaveBytes().Format(3, 1, rate, 4, 32).Chunk("data", [.. samples.SelectMany(BitConverter.GetBytes)]).ToArray();

    public WaveBytes Format(int tag, int channels, int rate, int bytesPerSample, int bits, int? subFormat = null)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write((ushort)tag);
        writer.Write((ushort)channels);
        writer.Write(rate);
        writer.Write(rate * channels * bytesPerSample);
        writer.Write((ushort)(channels * bytesPerSample));
        writer.Write((ushort)bits);
        if (subFormat is { } format)
        {
            writer.Write((ushort)22);
            writer.Write((ushort)bits);
            writer.Write(0);
            writer.Write((ushort)format);
            writer.Write([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        }
        return Chunk("fmt ", stream.ToArray());
    }

    public WaveBytes Chunk(string name, byte[] content, uint? claimed = null)
    {
        _chunks.Add((name, content, claimed));
        return this;
    }

    /// <summary>The lengths in 64 bits that RF64 and BW64 begin with.</summary>
    public WaveBytes Ds64(long dataBytes) =>
        Chunk("ds64", [.. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(dataBytes), .. BitConverter.GetBytes(0L), 0, 0, 0, 0]);

    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Encoding.ASCII.GetBytes(Container));
        writer.Write(0); // not looked at
        writer.Write("WAVE"u8);
        foreach (var (name, content, claimed) in _chunks)
        {
            writer.Write(Encoding.ASCII.GetBytes(name));
            writer.Write(claimed ?? (uint)content.Length);
            writer.Write(content);
            if (content.Length % 2 == 1)
                writer.Write((byte)0);
        }
        return stream.ToArray();
    }
}
