namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Random changes of frames that leave the label of a sequence as it is; applied to training batches. All work on
/// frames, because a trainer never sees samples. Padding stays zero.
/// </summary>
internal static class FrameAugmentation
{
    /// <summary>
    /// Stretches each row along time by a factor drawn uniformly from [1 - most, 1 + most], frames between two frames being
    /// interpolated linearly: speech that is faster or slower at the same pitch.
    /// </summary>
    /// <param name="batch">The batch; it stays as it is.</param>
    /// <param name="most">The largest change, 0 to 1.</param>
    /// <param name="maxLength">The longest that a row may get; 0: any length.</param>
    /// <param name="random">Where the factors come from.</param>
    /// <returns>The batch of the stretched rows; an empty row stays empty, any other keeps at least one frame.</returns>
    internal static PaddedBatch Stretch(PaddedBatch batch, double most, int maxLength, Random random)
    {
        var lengths = new int[batch.Rows];
        for (var row = 0; row < batch.Rows; row++)
        {
            var length = batch.Lengths[row];
            var stretched = (int)Math.Round(length * (1 + (most * ((2 * random.NextDouble()) - 1))));
            lengths[row] = Math.Clamp(stretched, Math.Min(1, length), maxLength > 0 ? Math.Max(maxLength, length) : int.MaxValue);
        }
        var result = batch.FramesOfLengths(lengths);
        for (var row = 0; row < batch.Rows; row++)
            Interpolate(RowOf(batch, row), RowOf(result, row), batch.FrameWidth);
        return result;
    }

    /// <summary>Adds one number drawn uniformly from [-most, most] to all values of a row: of log-mel frames, the loudness.</summary>
    internal static void Gain(PaddedBatch batch, double most, Random random)
    {
        for (var row = 0; row < batch.Rows; row++)
        {
            var gain = (float)(most * ((2 * random.NextDouble()) - 1));
            foreach (ref var value in RowOf(batch, row))
                value += gain;
        }
    }

    /// <summary>Adds a number from a normal distribution to each value.</summary>
    internal static void Noise(PaddedBatch batch, double deviation, Random random)
    {
        for (var row = 0; row < batch.Rows; row++)
        {
            foreach (ref var value in RowOf(batch, row))
                value += (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
    }

    /// <summary>
    /// Puts the row's mean over some neighbouring frames, as many times as asked (SpecAugment, Park et al. 2019). A stretch is 0 to
    /// <paramref name="width"/> frames long, and never longer than a quarter of the row, so that something is left of short ones.
    /// </summary>
    internal static void MaskTime(PaddedBatch batch, int masks, int width, Random random)
    {
        for (var row = 0; row < batch.Rows; row++)
        {
            var frames = RowOf(batch, row);
            var mean = Mean(frames);
            for (var mask = 0; mask < masks; mask++)
            {
                var (from, count) = Place(batch.Lengths[row], Math.Min(width, batch.Lengths[row] / 4), random);
                frames.Slice(from * batch.FrameWidth, count * batch.FrameWidth).Fill(mean);
            }
        }
    }

    /// <summary>The same over 0 to <paramref name="width"/> neighbouring bands of all frames of the row.</summary>
    internal static void MaskFrequency(PaddedBatch batch, int masks, int width, Random random)
    {
        for (var row = 0; row < batch.Rows; row++)
        {
            var frames = RowOf(batch, row);
            var mean = Mean(frames);
            for (var mask = 0; mask < masks; mask++)
            {
                var (from, count) = Place(batch.FrameWidth, Math.Min(width, batch.FrameWidth), random);
                for (var at = from; at < frames.Length; at += batch.FrameWidth)
                    frames.Slice(at, count).Fill(mean);
            }
        }
    }

    // The first frame goes to the first one, the last to the last.
    private static void Interpolate(ReadOnlySpan<float> from, Span<float> to, int width)
    {
        var (last, lastTo) = ((from.Length / width) - 1, (to.Length / width) - 1);
        for (var t = 0; t <= lastTo; t++)
        {
            var time = lastTo == 0 ? 0 : (double)t * last / lastTo;
            var before = (int)time;
            var weight = (float)(time - before);
            var earlier = from.Slice(before * width, width);
            var later = from.Slice(Math.Min(before + 1, last) * width, width);
            for (var i = 0; i < width; i++)
                to[(t * width) + i] = ((1 - weight) * earlier[i]) + (weight * later[i]);
        }
    }

    private static (int From, int Count) Place(int length, int longest, Random random)
    {
        var count = random.Next(longest + 1);
        return (random.Next(length - count + 1), count);
    }

    private static float Mean(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return values.Length == 0 ? 0 : (float)(sum / values.Length);
    }

    private static Span<float> RowOf(PaddedBatch batch, int row) =>
        batch.Frames.AsSpan(row * batch.Length * batch.FrameWidth, batch.Lengths[row] * batch.FrameWidth);
}
