using System.Buffers.Binary;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>Bytes of a WAV file as one channel of numbers in [-1, 1]: the mean of the channels.</summary>
internal static class WaveSamples
{
    private static readonly float[] ALaw = Table(DecodeALaw);
    private static readonly float[] MuLaw = Table(DecodeMuLaw);

    /// <summary>Decodes whole frames. Floats beyond ±1 are clipped.</summary>
    /// <param name="bytes">Frames, one after the other.</param>
    /// <param name="format">How they are coded.</param>
    /// <param name="mono">One number for each frame.</param>
    /// <returns>The first frame that is not a finite number, or -1.</returns>
    public static int Decode(ReadOnlySpan<byte> bytes, WaveFormat format, Span<float> mono)
    {
        switch (format)
        {
            case { Coding: WaveCoding.Signed, BytesPerSample: 2, Channels: 1 }:
                for (var i = 0; i < mono.Length; i++)
                    mono[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) * (1f / 32_768);
                return -1;
            case { Coding: WaveCoding.Float, Channels: 1, BytesPerSample: 4 }:
                for (var i = 0; i < mono.Length; i++)
                {
                    var value = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                    if (!float.IsFinite(value))
                        return i;
                    mono[i] = Math.Clamp(value, -1f, 1f);
                }
                return -1;
            default:
                return DecodeAny(bytes, format, mono);
        }
    }

    private static int DecodeAny(ReadOnlySpan<byte> bytes, WaveFormat format, Span<float> mono)
    {
        for (var frame = 0; frame < mono.Length; frame++)
        {
            var sum = 0.0;
            for (var channel = 0; channel < format.Channels; channel++, bytes = bytes[format.BytesPerSample..])
                sum += Sample(bytes, format);
            if (!double.IsFinite(sum))
                return frame;
            mono[frame] = (float)Math.Clamp(sum / format.Channels, -1, 1);
        }
        return -1;
    }

    private static double Sample(ReadOnlySpan<byte> bytes, WaveFormat format) => (format.Coding, format.BytesPerSample) switch
    {
        (WaveCoding.Unsigned8, _) => (bytes[0] - 128) / 128.0,
        (WaveCoding.Signed, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32_768.0,
        (WaveCoding.Signed, 3) => (bytes[0] << 8 | bytes[1] << 16 | bytes[2] << 24) / 2_147_483_648.0,
        (WaveCoding.Signed, _) => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2_147_483_648.0,
        (WaveCoding.Float, 4) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        (WaveCoding.Float, _) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        (WaveCoding.ALaw, _) => ALaw[bytes[0]],
        _ => MuLaw[bytes[0]],
    };

    private static float[] Table(Func<int, int> decode) => [.. Enumerable.Range(0, 256).Select(code => decode(code) / 32_768f)];

    // ITU-T G.711: every second bit is inverted; sign, 3 bits of exponent, 4 of mantissa; 13 bits, here on the left of 16.
    private static int DecodeALaw(int code)
    {
        code ^= 0x55;
        var exponent = code >> 4 & 7;
        var magnitude = (code & 15) << 4 | 8;
        if (exponent > 0)
            magnitude = (magnitude | 0x100) << (exponent - 1);
        return (code & 0x80) != 0 ? magnitude : -magnitude;
    }

    // ITU-T G.711: all bits inverted; sign, 3 bits of exponent, 4 of mantissa, biased by 33; 14 bits, here on the left of 16.
    private static int DecodeMuLaw(int code)
    {
        code = ~code;
        var magnitude = (((code & 15) << 3 | 0x84) << (code >> 4 & 7)) - 0x84;
        return (code & 0x80) != 0 ? -magnitude : magnitude;
    }
}
