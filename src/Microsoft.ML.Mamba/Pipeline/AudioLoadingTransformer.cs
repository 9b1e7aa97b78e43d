using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(AudioLoadingTransformer), null, typeof(SignatureLoadModel),
    AudioLoadingTransformer.UserName, AudioLoadingTransformer.LoaderSignature)]

namespace Microsoft.ML.Mamba;

/// <summary>
/// Loads WAV files as samples; see <see cref="AudioLoadingEstimator"/> for its columns. Files are opened when a row's samples are
/// asked for. It may be used from any number of threads.
/// </summary>
public sealed class AudioLoadingTransformer : ITransformer
{
    internal const string UserName = "Audio loading";
    internal const string LoaderSignature = "MambaAudioLoading";

    private static readonly VersionInfo Version = ModelFormat.Version("MAMBAWAV", LoaderSignature);

    private readonly LoadedAudioColumn _column;

    internal AudioLoadingTransformer(LoadedAudioColumn column) => _column = column;

    /// <summary>The rate of the samples, Hz.</summary>
    public int SampleRate => _column.SampleRate;

    /// <summary>The folder that paths start from, or null.</summary>
    public string? AudioFolder => _column.AudioFolder;

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
        ctx.SaveStringOrNull(_column.AudioFolder);
        ctx.Writer.Write(_column.SampleRate);
        ctx.Writer.Write(_column.Resample);
        ctx.Writer.Write((byte)_column.Unreadable);
    }

    // ML.NET's component catalog finds this by name.
    private static AudioLoadingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        Contracts.CheckValue(env, nameof(env));
        var host = env.Register(nameof(AudioLoadingTransformer));
        host.CheckValue(ctx, nameof(ctx));
        ctx.CheckAtModel(Version);
        // *** Binary format ***
        // string: output column
        // string: input column
        // string or null: folder
        // int: sample rate
        // bool: whether other rates are converted
        // byte: what happens to files that cannot be read
        var output = ctx.LoadNonEmptyString();
        var input = ctx.LoadNonEmptyString();
        var folder = ctx.LoadStringOrNull();
        var sampleRate = ctx.Reader.ReadInt32();
        host.CheckDecode(sampleRate is >= WaveFormat.LowestRate and <= WaveFormat.HighestRate, $"The model claims samples of {sampleRate} Hz.");
        var resample = ctx.Reader.ReadBoolean();
        var unreadable = (UnreadableAudio)ctx.Reader.ReadByte();
        host.CheckDecode(Enum.IsDefined(unreadable), $"The model claims the unknown policy {(int)unreadable} for files that cannot be read.");
        return new(new LoadedAudioColumn(host, output, input, folder, sampleRate, resample, unreadable));
    }
}
