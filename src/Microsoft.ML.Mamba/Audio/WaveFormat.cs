using System.Buffers.Binary;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>How the bytes of one sample are to be read.</summary>
internal enum WaveCoding
{
    /// <summary>8 bits without sign, 128 = silence.</summary>
    Unsigned8,

    /// <summary>Two's complement of 2, 3 or 4 bytes.</summary>
    Signed,

    /// <summary>IEEE 754, 4 or 8 bytes.</summary>
    Float,

    /// <summary>ITU-T G.711 A-law, 1 byte.</summary>
    ALaw,

    /// <summary>ITU-T G.711 µ-law, 1 byte.</summary>
    MuLaw,
}

/// <summary>What the chunk "fmt " of a WAV file says.</summary>
/// <param name="Coding">How a sample is coded.</param>
/// <param name="Channels">Samples side by side in a frame; at least 1.</param>
/// <param name="SampleRate">Frames per second, Hz.</param>
/// <param name="BytesPerSample">1, 2, 3, 4 or 8.</param>
internal readonly record struct WaveFormat(WaveCoding Coding, int Channels, int SampleRate, int BytesPerSample)
{
    /// <summary>Hz. Outside of it a header is wrong, or the file holds no sound.</summary>
    public const int LowestRate = 1_000, HighestRate = 1_536_000;

    /// <summary>The bytes of "fmt " that are looked at; the rest, if any, says nothing that is needed.</summary>
    public const int LongestHeader = 40;

    private const ushort Pcm = 1, IeeeFloat = 3, ALawTag = 6, MuLawTag = 7, Extensible = 0xFFFE;

    /// <summary>What follows the two bytes of the format tag in the sub-format of WAVE_FORMAT_EXTENSIBLE.</summary>
    private static ReadOnlySpan<byte> SubFormatTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    /// <summary>Bytes of one sample of every channel.</summary>
    public int FrameBytes => Channels * BytesPerSample;

    /// <summary>Reads the chunk's content.</summary>
    /// <exception cref="MambaAudioException">It contradicts itself, or names a coding that is not read.</exception>
    public static WaveFormat Parse(ReadOnlySpan<byte> chunk, string path)
    {
        if (chunk.Length < 16)
            throw new MambaAudioException(path, $"the chunk 'fmt ' has {chunk.Length} bytes; expected at least 16.");
        var tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
        var frameBytes = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        if (tag == Extensible)
        {
            if (chunk.Length < LongestHeader || !chunk[26..LongestHeader].SequenceEqual(SubFormatTail))
                throw new MambaAudioException(path, "WAVE_FORMAT_EXTENSIBLE without a sub-format of PCM, float, A-law or µ-law; convert the file to PCM.");
            tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
        }

        if (channels == 0)
            throw new MambaAudioException(path, "the header claims 0 channels; expected at least 1.");
        if (rate is < LowestRate or > HighestRate)
            throw new MambaAudioException(path, $"the header claims {rate} Hz; expected {LowestRate} to {HighestRate} Hz.");
        if (frameBytes == 0 || frameBytes % channels != 0)
            throw new MambaAudioException(path, $"the header claims {frameBytes} bytes for {channels} channel(s); expected a multiple of {channels}.");
        var bytes = frameBytes / channels;
        return new WaveFormat(CodingOf(tag, bytes, bits, path), channels, (int)rate, bytes);
    }

    private static WaveCoding CodingOf(ushort tag, int bytes, int bits, string path)
    {
        // Fewer bits than the bytes have room for stand on the left (20 bits in 3 bytes), so only the bytes matter.
        var fits = bits <= 8 * bytes && bits > 8 * (bytes - 1);
        return (tag, bytes) switch
        {
            (Pcm, 1) when fits => WaveCoding.Unsigned8,
            (Pcm, 2 or 3 or 4) when fits => WaveCoding.Signed,
            (IeeeFloat, 4 or 8) when bits == 8 * bytes => WaveCoding.Float,
            (ALawTag, 1) when bits == 8 => WaveCoding.ALaw,
            (MuLawTag, 1) when bits == 8 => WaveCoding.MuLaw,
            _ => throw new MambaAudioException(path,
                $"the header claims format 0x{tag:X4} with {bits} bits in {bytes} byte(s); expected PCM (0x0001) of 8, 16, 24 or 32 bits, float (0x0003) of 32 or 64, A-law (0x0006) or µ-law (0x0007) of 8. Convert the file to PCM."),
        };
    }
}
