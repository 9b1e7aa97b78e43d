namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Brings a file's samples to another rate while they are read. Output sample n stands at the time of input sample n·Down/Up, so
/// the first ones coincide; there are ceil(length·Up/Down) of them. Before and behind the file there is silence.
/// </summary>
internal static class Resampler
{
    private const int Block = 8192;

    /// <summary>Reads all samples of a file through a filter.</summary>
    /// <param name="reader">The file, at its start.</param>
    /// <param name="filter">From the file's rate to another.</param>
    /// <param name="output">Room for <see cref="ResamplingFilter.OutputLength"/> samples; they are clipped to [-1, 1].</param>
    public static void Read(WaveReader reader, ResamplingFilter filter, Span<float> output)
    {
        var reach = filter.Reach;
        var taps = 2 * reach;
        var buffer = new float[taps + Math.Max(Block, taps)];
        long first = -(reach - 1); // the input sample at buffer[0]
        var filled = reach - 1; // silence before the file
        long whole = 0; // the input sample at or before the output's time
        var phase = 0;
        foreach (ref var sample in output)
        {
            while (whole + reach >= first + filled)
            {
                // What no later sample needs makes room.
                var used = (int)Math.Min(filled, Math.Max(0, whole - (reach - 1) - first));
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                (first, filled) = (first + used, filled - used);
                var read = reader.Read(buffer.AsSpan(filled));
                if (read == 0)
                {
                    read = buffer.Length - filled; // silence behind the file
                    buffer.AsSpan(filled).Clear();
                }
                filled += read;
            }

            sample = Math.Clamp(filter.Apply(buffer.AsSpan((int)(whole - (reach - 1) - first), taps), phase), -1f, 1f);
            phase += filter.Down;
            (var steps, phase) = Math.DivRem(phase, filter.Up);
            whole += steps;
        }
    }
}
