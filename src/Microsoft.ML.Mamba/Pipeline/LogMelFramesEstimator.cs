using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba;

/// <summary>The <see cref="IEstimator{TTransformer}"/> that turns samples into log-mel frames, what a sequence model hears best.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this estimator, use [LogMelFrames](xref:Microsoft.ML.MambaCatalog.LogMelFrames*) of `Transforms`.
///
/// ### Input and Output Columns
/// | Column | Column Type | Description |
/// | -- | -- | -- |
/// | `inputColumnName` | vector of <xref:System.Single> | Samples of one channel, as `LoadAudio` makes them. No samples: no frames. |
/// | `outputColumnName` | variable vector of <xref:System.Single>, dimensions (0, bands · (1 + deltas)) | One frame after the other; annotations `HopSeconds` and `FirstFrameSeconds` tell their times. |
///
/// ### Estimator Characteristics
/// | | |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | With `Normalization` `Dataset` (the default); otherwise only at its schema |
/// | Input column data type | vector of <xref:System.Single> |
/// | Output column data type | variable vector of <xref:System.Single> |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba and a libtorch package (TorchSharp-cpu) |
/// | Exportable to ONNX | No |
///
/// ### Frames
/// Window (periodic Hann) → |spectrum|² (torch.stft, no scaling) → triangular mel filters → ln(max(mel, floor)) → slopes, if
/// asked for → normalisation. With the same options the values are those of torchaudio and librosa, before normalisation.
/// Whatever changes frames at random in training belongs to the trainer (<see cref="MambaTrainingOptions.TimeMasks"/> and its
/// neighbours): a transform cannot know whether its rows are to be learnt from or to be scored.
/// ]]></format>
/// </remarks>
public sealed partial class LogMelFramesEstimator : IEstimator<LogMelFramesTransformer>
{
    private const int AnyRate = 16_000;

    private readonly IHost _host;
    private readonly Options _options;

    internal LogMelFramesEstimator(IHostEnvironment env, Options options)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(LogMelFramesEstimator));
        _host.CheckValue(options, nameof(options));
        _options = options.Clone();
        Check(_options.SampleRate != 0 ? _options.At(_options.SampleRate) : null);
    }

    private string InputColumnName => _options.InputColumnName ?? _options.OutputColumnName;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        LogMelColumn.CheckInput(_host, inputSchema, InputColumnName);
        if (_options.SampleRate == 0 && !(inputSchema.TryFindColumn(InputColumnName, out var column) && column.Annotations.Any(a => a.Name == AudioAnnotations.SampleRate)))
            throw NoRate();
        return MappedColumn.Promise(inputSchema, LogMelColumn.Output(_options.OutputColumnName, _options.At(_options.SampleRate != 0 ? _options.SampleRate : AnyRate)));
    }

    /// <summary>Checks the column and, with <see cref="FrameNormalization.Dataset"/>, learns mean and deviation of each band.</summary>
    /// <param name="input">Rows with samples.</param>
    /// <returns>The transformer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The column is absent, is no vector of Single, or its sample rate is not known or another than the one set.</exception>
    public LogMelFramesTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        var samples = LogMelColumn.FindInput(_host, input.Schema, InputColumnName);
        var told = AudioAnnotations.SampleRateOf(samples);
        if (_options.SampleRate != 0 && told is { } other && other != _options.SampleRate)
            throw LogMelColumn.WrongRate(_host, InputColumnName, other, _options.SampleRate);
        var settings = _options.At(_options.SampleRate != 0 ? _options.SampleRate : told ?? throw NoRate());
        if (_options.SampleRate == 0)
            Check(settings);
        using var channel = _host.Start("Fitting");
        WarnOfEmptyBands(channel, settings);
        var statistics = settings.Normalization == FrameNormalization.Dataset ? Learn(channel, input, samples, settings) : null;
        return new LogMelFramesTransformer(new LogMelColumn(_host, _options.OutputColumnName, InputColumnName, settings, statistics));
    }

    private FrameStatistics Learn(IChannel channel, IDataView input, DataViewSchema.Column samples, LogMelSettings settings)
    {
        var extractor = new LogMelFrames(settings);
        var sums = new FrameSums(settings.FrameWidth);
        using var cursor = input.GetRowCursor([samples]);
        var reader = new SampleReader(cursor, samples);
        var frames = Array.Empty<float>();
        while (cursor.MoveNext())
        {
            _host.CheckAlive();
            var clip = reader.Read();
            var length = checked(settings.FrameCount(clip.Length) * settings.FrameWidth);
            if (frames.Length < length)
                frames = new float[length];
            extractor.ComputeRaw(clip, frames.AsSpan(0, length));
            sums.Add(frames.AsSpan(0, length));
        }
        if (sums.Count == 0)
            channel.Warning($"There was no frame in '{InputColumnName}' to learn a scale from; values are left as they are.");
        return sums.Count == 0 ? FrameStatistics.Identity(settings.FrameWidth) : sums.ToStatistics();
    }

    private static void WarnOfEmptyBands(IChannel channel, LogMelSettings settings)
    {
        if (new MelFilterBank(settings).EmptyBands is > 0 and var empty)
            channel.Warning($"{empty} of {settings.MelBands} mel bands are narrower than the {settings.SampleRate / (double)settings.FftSize:F1} Hz from one frequency of the spectrum to the next, and always at the floor. A larger FftSize or fewer MelBands help.");
    }

    private void Check(LogMelSettings? settings)
    {
        // Most limits depend on the rate; where the column tells it, they are checked in Fit.
        var violations = _options.ColumnViolations().Concat(settings?.Violations() ?? []).ToArray();
        if (violations.Length > 0)
            throw _host.ExceptUserArg("options", $"LogMelFrames: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");
    }

    private Exception NoRate() => _host.ExceptParam("schema",
        $"Sample column '{InputColumnName}' does not tell its sample rate, as columns of LoadAudio do. Set SampleRate of LogMelFrames.");
}
