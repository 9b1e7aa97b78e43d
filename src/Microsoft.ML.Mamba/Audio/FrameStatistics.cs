namespace Microsoft.ML.Mamba.Audio;

/// <summary>Mean and standard deviation of each value of a frame.</summary>
internal sealed record FrameStatistics(float[] Mean, float[] Deviation)
{
    /// <summary>What varies less than this does not vary: silence is not blown up to noise.</summary>
    public const float LeastDeviation = 1e-3f;

    /// <summary>Leaves frames as they are.</summary>
    public static FrameStatistics Identity(int width)
    {
        var deviation = new float[width];
        Array.Fill(deviation, 1f);
        return new(new float[width], deviation);
    }

    /// <summary>Subtracts the mean and, if asked, divides by the deviation, in place.</summary>
    public void Normalize(Span<float> frames, bool scale)
    {
        var width = Mean.Length;
        for (; frames.Length > 0; frames = frames[width..])
        {
            for (var i = 0; i < width; i++)
                frames[i] = (frames[i] - Mean[i]) / (scale ? Deviation[i] : 1f);
        }
    }
}

/// <summary>Sums that a mean and a deviation come from, taken clip by clip in order.</summary>
internal sealed class FrameSums(int width)
{
    private readonly double[] _mean = new double[width];
    private readonly double[] _squares = new double[width]; // Σ (x - mean)²

    /// <summary>Frames so far.</summary>
    public long Count { get; private set; }

    /// <summary>Adds frames (Welford 1962); those with values that are not finite are passed over.</summary>
    public void Add(ReadOnlySpan<float> frames)
    {
        for (; frames.Length > 0; frames = frames[width..])
        {
            if (!AllFinite(frames[..width]))
                continue;
            Count++;
            for (var i = 0; i < width; i++)
            {
                var away = frames[i] - _mean[i];
                _mean[i] += away / Count;
                _squares[i] += away * (frames[i] - _mean[i]);
            }
        }
    }

    public FrameStatistics ToStatistics() => new(
        [.. _mean.Select(m => (float)m)],
        [.. _squares.Select(s => MathF.Max((float)Math.Sqrt(s / Math.Max(1, Count)), FrameStatistics.LeastDeviation))]);

    private static bool AllFinite(ReadOnlySpan<float> frame)
    {
        foreach (var value in frame)
            if (!float.IsFinite(value))
                return false;
        return true;
    }
}
