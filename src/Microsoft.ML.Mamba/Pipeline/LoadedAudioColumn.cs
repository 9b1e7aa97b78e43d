using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Paths → samples.</summary>
internal sealed class LoadedAudioColumn(
    IHost host, string outputColumnName, string inputColumnName, string? audioFolder, int sampleRate, bool resample, UnreadableAudio unreadable)
    : MappedColumn(host, outputColumnName)
{
    private readonly AudioFile _files = new();

    /// <summary>Hz.</summary>
    public int SampleRate => sampleRate;

    /// <summary>Whether other rates are converted; otherwise they are an error.</summary>
    public bool Resample => resample;

    public string? AudioFolder => audioFolder;

    public UnreadableAudio Unreadable => unreadable;

    public string InputColumnName => inputColumnName;

    public override DataViewSchema.Column[] FindInputs(DataViewSchema schema) => [FindInput(schema)];

    public DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = schema.GetColumnOrNull(InputColumnName)
            ?? throw SequenceColumn.Missing(Host, InputColumnName, "path", "inputColumnName", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return column.Type is TextDataViewType ? column : throw Refused(Host, InputColumnName, $"{column.Type}");
    }

    public static void CheckInput(IExceptionContext context, SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw SequenceColumn.Missing(context, name, "path", "inputColumnName", schema.Select(c => c.Name));
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.ItemType is not TextDataViewType)
            throw Refused(context, name, column.GetTypeString());
    }

    public override DataViewSchema.DetachedColumn Output() => Output(OutputColumnName, sampleRate);

    public static DataViewSchema.DetachedColumn Output(string name, int sampleRate) =>
        new(name, new VectorDataViewType(NumberDataViewType.Single), AudioAnnotations.OfSamples(sampleRate));

    /// <summary>Where the file of a row is, or null where the row names none.</summary>
    public static string? PathOf(ReadOnlyMemory<char> value, string? folder)
    {
        if (value.Span.IsWhiteSpace())
            return null;
        return string.IsNullOrEmpty(folder) ? value.ToString() : Path.Combine(folder, value.ToString());
    }

    public override Delegate CreateGetter(DataViewRow input, RowFaults faults)
    {
        var getPath = input.GetGetter<ReadOnlyMemory<char>>(FindInput(input.Schema));
        ReadOnlyMemory<char> value = default;
        // The file says how many samples there are, and a lambda cannot hold a reference: the buffer goes in and out through this.
        VBuffer<float> buffer = default;
        RoomForSamples room = count =>
        {
            var editor = VBufferEditor.Create(ref buffer, count);
            buffer = editor.Commit();
            return editor.Values;
        };
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> samples) =>
        {
            getPath(ref value);
            buffer = samples;
            try
            {
                if (PathOf(value, audioFolder) is { } path)
                    _files.Read(path, sampleRate, resample, room);
                else
                    room(0);
            }
            catch (MambaAudioException e) when (unreadable == UnreadableAudio.Missing)
            {
                faults.Add(input.Position, e);
                room(0);
            }
            samples = buffer;
            buffer = default; // it is the caller's
        });
    }

    public override string Warning(RowFaults faults) =>
        FormattableString.Invariant($"{faults.Count:N0} audio files could not be read; their samples in '{OutputColumnName}' are missing. The first: {faults.First}");

    private static Exception Refused(IExceptionContext context, string name, string type) =>
        context.ExceptParam("schema", $"Path column '{name}' has type {type}; expected text, one path for each row.");
}
