using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(LogMelFramesTransformer), null, typeof(SignatureLoadModel),
    LogMelFramesTransformer.UserName, LogMelFramesTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// Turns samples into log-mel frames; see <see cref="LogMelFramesEstimator"/> for its columns. It may be used from any number of
/// threads and holds nothing that has to be freed.
/// </summary>
public sealed class LogMelFramesTransformer : ITransformer
{
    internal const string UserName = "Log-mel frames";
    internal const string LoaderSignature = "MambaLogMelFrames";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBAMEL", LoaderSignature);

    private readonly LogMelColumn _column;

    internal LogMelFramesTransformer(LogMelColumn column) => _column = column;

    /// <summary>The rate that samples must have, Hz.</summary>
    public int SampleRate => _column.Settings.SampleRate;

    /// <summary>Values per frame.</summary>
    public int FrameWidth => _column.Settings.FrameWidth;

    /// <summary>Samples from one frame to the next.</summary>
    public int HopLength => _column.Settings.HopLength;

    /// <summary>Begins to make frames of one recording as it comes: each as soon as all the samples that it looks at are there.</summary>
    /// <returns>The stream, for one thread at a time; any number may be open.</returns>
    /// <exception cref="InvalidOperationException">The transform has deltas or normalises by the clip, for which the whole recording is needed.</exception>
    public MambaFrameStream CreateStream() => new(new LogMelStream(_column.Settings, _column.Statistics), FrameWidth);

    internal LogMelSettings Settings => _column.Settings;

    internal FrameStatistics? Statistics => _column.Statistics;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _column.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => _column.Transform(input);

    bool ITransformer.IsRowToRowMapper => true;

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => _column.GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        _column.Host.CheckValue(ctx, nameof(ctx));
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Version);
        // *** Binary format *** as in Create.
        ctx.SaveNonEmptyString(_column.OutputColumnName);
        ctx.SaveNonEmptyString(_column.InputColumnName);
        var s = _column.Settings;
        foreach (var number in new[] { s.SampleRate, s.WindowLength, s.HopLength, s.FftSize, (int)s.Window, s.MelBands, (int)s.Scale, (int)s.Logarithm, s.Deltas, (int)s.Normalization })
            ctx.Writer.Write(number);
        ctx.Writer.Write(s.Center);
        ctx.Writer.Write(s.SlaneyNormalization);
        foreach (var number in new[] { s.LowestFrequency, s.HighestFrequency, s.Power, s.Floor })
            ctx.Writer.Write(number);
        if (_column.Statistics is { } statistics)
        {
            foreach (var number in statistics.Mean.Concat(statistics.Deviation))
                ctx.Writer.Write(number);
        }
    }

    // ML.NET's component catalog finds this by name.
    private static LogMelFramesTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        Contracts.CheckValue(env, nameof(env));
        var host = env.Register(nameof(LogMelFramesTransformer));
        host.CheckValue(ctx, nameof(ctx));
        ctx.CheckAtModel(Version);
        // *** Binary format ***
        // string: output column
        // string: input column
        // int[10]: sample rate, window length, hop length, FFT size, window, bands, mel scale, logarithm, deltas, normalisation
        // bool[2]: center, Slaney's normalisation of filters
        // double[4]: lowest and highest frequency, power, floor
        // float[2 · frame width]: means and deviations, only with the normalisation of the data set
        var output = ctx.LoadNonEmptyString();
        var input = ctx.LoadNonEmptyString();
        var reader = ctx.Reader;
        int[] n = [.. Enumerable.Range(0, 10).Select(_ => reader.ReadInt32())];
        var (center, slaney) = (reader.ReadBoolean(), reader.ReadBoolean());
        double[] d = [.. Enumerable.Range(0, 4).Select(_ => reader.ReadDouble())];
        var settings = new LogMelSettings(
            n[0], n[1], n[2], n[3], (AudioWindow)n[4], center, n[5], (MelScale)n[6], slaney, d[0], d[1], d[2], d[3], (MelLogarithm)n[7], n[8], (FrameNormalization)n[9]);
        host.CheckDecode(!settings.Violations().Any(), $"The settings of the frames are damaged: {string.Join(" ", settings.Violations())}");
        var statistics = settings.Normalization == FrameNormalization.Dataset ? ReadStatistics(host, reader, settings.FrameWidth) : null;
        return new(new LogMelColumn(host, output, input, settings, statistics));
    }

    private static FrameStatistics ReadStatistics(IHost host, BinaryReader reader, int width)
    {
        float[] mean = [.. Enumerable.Range(0, width).Select(_ => reader.ReadSingle())];
        float[] deviation = [.. Enumerable.Range(0, width).Select(_ => reader.ReadSingle())];
        host.CheckDecode(mean.All(float.IsFinite) && deviation.All(v => float.IsFinite(v) && v > 0), "The scale of the frames is damaged; expected finite means and deviations above 0.");
        return new FrameStatistics(mean, deviation);
    }
}
