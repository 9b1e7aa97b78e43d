using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>Mean and deviation of each value of a frame over a set, so that all values count alike in what is predicted.</summary>
internal sealed class FrameScale
{
    private readonly double[] _mean;
    private readonly double[] _deviation;

    private FrameScale(double[] mean, double[] deviation)
    {
        _mean = mean;
        _deviation = deviation;
    }

    /// <summary>Two passes, in double.</summary>
    internal static FrameScale Of(SequenceSet set)
    {
        var width = set.FrameWidth;
        var mean = Average((value, _) => value);
        var deviation = Array.ConvertAll(
            Average((value, i) => (value - mean[i]) * (value - mean[i])),
            variance => variance > 0 ? Math.Sqrt(variance) : 1);
        return new FrameScale(mean, deviation);

        double[] Average(Func<double, int, double> of)
        {
            var sums = new double[width];
            var frames = new float[set.LongestLength * width];
            for (var row = 0; row < set.Count; row++)
            {
                set.CopyFrames(row, frames);
                for (var i = 0; i < set.GetLength(row) * width; i++)
                {
                    sums[i % width] += of(frames[i], i % width);
                }
            }
            return Array.ConvertAll(sums, sum => sum / set.TotalLength);
        }
    }

    /// <summary>The frames at some places of a batch, less the mean, over the deviation.</summary>
    internal float[] Standardised(float[] frames, long[] places)
    {
        var width = _mean.Length;
        var values = new float[places.Length * width];
        for (var i = 0; i < values.Length; i++)
        {
            var (place, feature) = (places[i / width], i % width);
            values[i] = (float)((frames[(place * width) + feature] - _mean[feature]) / _deviation[feature]);
        }
        return values;
    }
}
