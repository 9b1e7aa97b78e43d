namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Slopes along time, d[t] = Σ k·(c[t+k] - c[t-k]) / (2·Σ k²) over k = 1, 2: the line through five frames (Furui 1986). The first
/// and the last frame stand for what lies beyond them.
/// </summary>
internal static class FrameDeltas
{
    private const int Reach = 2;
    private const float Divisor = 2 * ((1 * 1) + (2 * 2));

    /// <summary>Fills the columns behind some columns with their slopes.</summary>
    /// <param name="frames">(frames, width).</param>
    /// <param name="width">Values per frame.</param>
    /// <param name="from">The first column to take slopes of.</param>
    /// <param name="columns">How many; their slopes go to as many columns behind them.</param>
    public static void Fill(Span<float> frames, int width, int from, int columns)
    {
        var last = (frames.Length / width) - 1;
        for (var t = 0; t <= last; t++)
        {
            var slopes = frames.Slice((t * width) + from + columns, columns);
            slopes.Clear();
            for (var k = 1; k <= Reach; k++)
            {
                var later = frames.Slice((Math.Min(t + k, last) * width) + from, columns);
                var earlier = frames.Slice((Math.Max(t - k, 0) * width) + from, columns);
                for (var i = 0; i < columns; i++)
                    slopes[i] += k / Divisor * (later[i] - earlier[i]);
            }
        }
    }
}
