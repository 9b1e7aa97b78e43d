using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba;

/// <summary>The <see cref="IEstimator{TTransformer}"/> that loads WAV files as samples of one channel.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// To create this estimator, use [LoadAudio](xref:Microsoft.ML.MambaCatalog.LoadAudio*) of `Transforms`.
///
/// ### Input and Output Columns
/// | Column | Column Type | Description |
/// | -- | -- | -- |
/// | `inputColumnName` | text | The path of a WAV file, absolute or below `audioFolder`; empty text: no samples. |
/// | `outputColumnName` | variable vector of <xref:System.Single> | Samples in [-1, 1], the mean of the channels; the annotation `SampleRate` tells their rate in Hz. |
///
/// ### Estimator Characteristics
/// | | |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | Only with `sampleRate` 0, at the header of the first file |
/// | Input column data type | text |
/// | Output column data type | variable vector of <xref:System.Single> |
/// | Required NuGet in addition to Microsoft.ML | Microsoft.ML.Mamba |
/// | Exportable to ONNX | No |
///
/// ### Files
/// WAV in RIFF, RF64 or BW64: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, A-law, µ-law, also as WAVE_FORMAT_EXTENSIBLE; any
/// number of channels; 1,000 to 1,536,000 Hz. Chunks that are not known are passed over. Floats beyond ±1 are clipped.
///
/// ### Sample rates
/// Files of another rate than `sampleRate` are converted by a sinc under a Kaiser window. With N half the lower of the two rates:
/// up to 0.9·N the strength stays within 0.001 dB, above N it falls by at least 100 dB. There are ceil(samples · new / old)
/// samples; the first one stands where it did. With `sampleRate` 0, `Fit` takes the rate of the first file it finds, and a file
/// of another rate is an error: frames of unequal files would mean different times and frequencies.
/// ]]></format>
/// </remarks>
public sealed class AudioLoadingEstimator : IEstimator<AudioLoadingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;

    internal AudioLoadingEstimator(IHostEnvironment env, Options options)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(AudioLoadingEstimator));
        _host.CheckValue(options, nameof(options));
        var violations = options.Violations().ToArray();
        if (violations.Length > 0)
            throw _host.ExceptUserArg(nameof(options), $"LoadAudio: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");
        _options = options.Clone();
    }

    private string InputColumnName => _options.InputColumnName ?? _options.OutputColumnName;

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        LoadedAudioColumn.CheckInput(_host, inputSchema, InputColumnName);
        return MappedColumn.Promise(inputSchema, LoadedAudioColumn.Output(_options.OutputColumnName, _options.SampleRate));
    }

    /// <summary>Checks the column and, with <see cref="Options.SampleRate"/> 0, takes the rate of the first file.</summary>
    /// <param name="input">Rows with paths.</param>
    /// <returns>The transformer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The column is absent or is no text.</exception>
    /// <exception cref="InvalidOperationException">With <see cref="Options.SampleRate"/> 0: there is no file to take it from.</exception>
    /// <exception cref="MambaAudioException">With <see cref="Options.SampleRate"/> 0: the first file cannot be read.</exception>
    public AudioLoadingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        var column = Column(_options.SampleRate);
        var paths = column.FindInput(input.Schema);
        return new AudioLoadingTransformer(_options.SampleRate > 0 ? column : Column(FirstRate(input, paths)));
    }

    private LoadedAudioColumn Column(int sampleRate) => new(
        _host, _options.OutputColumnName, InputColumnName, _options.AudioFolder, sampleRate, resample: _options.SampleRate > 0, _options.Unreadable);

    private int FirstRate(IDataView input, DataViewSchema.Column paths)
    {
        using var cursor = input.GetRowCursor([paths]);
        var getPath = cursor.GetGetter<ReadOnlyMemory<char>>(paths);
        ReadOnlyMemory<char> value = default;
        while (cursor.MoveNext())
        {
            getPath(ref value);
            if (LoadedAudioColumn.PathOf(value, _options.AudioFolder) is not { } path)
                continue;
            try
            {
                return AudioFile.SampleRateOf(path);
            }
            catch (MambaAudioException) when (_options.Unreadable == UnreadableAudio.Missing)
            {
                _host.CheckAlive();
            }
        }
        throw _host.Except($"LoadAudio: no row of '{InputColumnName}' names a file that can be read, so there is no sample rate to take. Set SampleRate.");
    }

    /// <summary>All options of <see cref="AudioLoadingEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column that the samples go to. Default "Samples".</summary>
        public string OutputColumnName { get; set; } = "Samples";

        /// <summary>The column of paths, text. Null (default): the one named by <see cref="OutputColumnName"/>.</summary>
        public string? InputColumnName { get; set; }

        /// <summary>The folder that paths start from. Null or empty (default): they stand for themselves.</summary>
        public string? AudioFolder { get; set; }

        /// <summary>The rate of the samples, 1,000 to 1,536,000 Hz; files of other rates are converted. 0 (default): that of the first file; other rates are an error.</summary>
        public int SampleRate { get; set; }

        /// <summary>What happens to a row whose file cannot be read. Default <see cref="UnreadableAudio.Throw"/>.</summary>
        public UnreadableAudio Unreadable { get; set; } = UnreadableAudio.Throw;

        internal IEnumerable<string> Violations()
        {
            if (string.IsNullOrWhiteSpace(OutputColumnName))
                yield return "OutputColumnName is empty; expected a column name.";
            if (InputColumnName is not null && string.IsNullOrWhiteSpace(InputColumnName))
                yield return "InputColumnName is empty; expected a column name, or null.";
            if (SampleRate != 0 && SampleRate is < WaveFormat.LowestRate or > WaveFormat.HighestRate)
                yield return FormattableString.Invariant($"SampleRate is {SampleRate}; expected {WaveFormat.LowestRate} to {WaveFormat.HighestRate} Hz, or 0 (that of the first file).");
            if (!Enum.IsDefined(Unreadable))
                yield return $"Unreadable is {Unreadable}; expected Throw or Missing.";
        }

        internal Options Clone() => (Options)MemberwiseClone();
    }
}
