/// <summary>Writes WAV files: 16-bit PCM, one channel.</summary>
internal static class WaveFile
{
    /// <summary>Writes samples in [-1, 1]; what lies beyond is clipped.</summary>
    public static void Write(string path, ReadOnlySpan<float> samples, int sampleRate)
    {
        const short Pcm = 1, Channels = 1, BytesPerSample = 2;
        using var writer = new BinaryWriter(File.Create(path));
        var bytes = samples.Length * BytesPerSample;
        writer.Write("RIFF"u8);
        writer.Write(36 + bytes);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write(Pcm);
        writer.Write(Channels);
        writer.Write(sampleRate);
        writer.Write(sampleRate * BytesPerSample);
        writer.Write(BytesPerSample);
        writer.Write((short)(8 * BytesPerSample));
        writer.Write("data"u8);
        writer.Write(bytes);
        foreach (var sample in samples)
            writer.Write((short)Math.Round(Math.Clamp(sample, -1, 1) * short.MaxValue));
    }
}
