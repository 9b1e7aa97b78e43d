using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba;

/// <summary>What the columns of <c>LoadAudio</c> and <c>LogMelFrames</c> tell about time, as annotations.</summary>
public static class AudioAnnotations
{
    /// <summary>Samples per second of a column of samples, Hz: <see cref="int"/>.</summary>
    public const string SampleRate = "SampleRate";

    /// <summary>The time from one frame to the next, in seconds: <see cref="double"/>.</summary>
    public const string HopSeconds = "HopSeconds";

    /// <summary>The time of the middle of the first frame, in seconds from the clip's start: <see cref="double"/>.</summary>
    public const string FirstFrameSeconds = "FirstFrameSeconds";

    internal static DataViewSchema.Annotations OfSamples(int sampleRate)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(SampleRate, NumberDataViewType.Int32, (ref int value) => value = sampleRate);
        return builder.ToAnnotations();
    }

    internal static DataViewSchema.Annotations OfFrames(double hopSeconds, double firstFrameSeconds)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(HopSeconds, NumberDataViewType.Double, (ref double value) => value = hopSeconds);
        builder.Add(FirstFrameSeconds, NumberDataViewType.Double, (ref double value) => value = firstFrameSeconds);
        return builder.ToAnnotations();
    }

    /// <summary>The sample rate of a column, Hz; null where it does not tell.</summary>
    internal static int? SampleRateOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(SampleRate)?.Type != NumberDataViewType.Int32)
            return null;
        var rate = 0;
        column.Annotations.GetValue(SampleRate, ref rate);
        return rate;
    }
}
