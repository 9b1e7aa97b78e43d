using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Samples → log-mel frames.</summary>
internal sealed class LogMelColumn(IHost host, string outputColumnName, string inputColumnName, LogMelSettings settings, FrameStatistics? statistics)
    : MappedColumn(host, outputColumnName)
{
    private readonly LogMelFrames _frames = new(settings, statistics);

    public LogMelSettings Settings => settings;

    /// <summary>What was learnt of the data set; null unless the normalisation is that of the data set.</summary>
    public FrameStatistics? Statistics => statistics;

    public string InputColumnName => inputColumnName;

    public override DataViewSchema.Column[] FindInputs(DataViewSchema schema) => [FindInput(schema)];

    public DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FindInput(Host, schema, InputColumnName);
        if (AudioAnnotations.SampleRateOf(column) is { } rate && rate != settings.SampleRate)
            throw WrongRate(Host, InputColumnName, rate, settings.SampleRate);
        return column;
    }

    public static DataViewSchema.Column FindInput(IExceptionContext context, DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw SequenceColumn.Missing(context, name, "sample", "inputColumnName", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return column.Type is VectorDataViewType { ItemType: NumberDataViewType item } && item == NumberDataViewType.Single
            ? column
            : throw Refused(context, name, $"{column.Type}");
    }

    public static void CheckInput(IExceptionContext context, SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw SequenceColumn.Missing(context, name, "sample", "inputColumnName", schema.Select(c => c.Name));
        if (column.Kind == SchemaShape.Column.VectorKind.Scalar || column.ItemType != NumberDataViewType.Single)
            throw Refused(context, name, column.GetTypeString());
    }

    public static Exception WrongRate(IExceptionContext context, string name, int got, int expected) =>
        context.ExceptParam("schema", FormattableString.Invariant($"Sample column '{name}' has {got} Hz; expected {expected} Hz. Load the audio with that sampleRate, or set SampleRate of LogMelFrames to {got}."));

    public override DataViewSchema.DetachedColumn Output() => Output(OutputColumnName, settings);

    public static DataViewSchema.DetachedColumn Output(string name, LogMelSettings settings) => new(
        name,
        new VectorDataViewType(NumberDataViewType.Single, 0, settings.FrameWidth),
        AudioAnnotations.OfFrames((double)settings.HopLength / settings.SampleRate, settings.Center ? 0 : settings.FftSize / 2.0 / settings.SampleRate));

    public override Delegate CreateGetter(DataViewRow input, RowFaults faults)
    {
        var samples = new SampleReader(input, FindInput(input.Schema));
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> frames) =>
        {
            var clip = samples.Read();
            var editor = VBufferEditor.Create(ref frames, checked(settings.FrameCount(clip.Length) * settings.FrameWidth));
            _frames.Compute(clip, editor.Values);
            frames = editor.Commit();
        });
    }

    private static Exception Refused(IExceptionContext context, string name, string type) =>
        context.ExceptParam("schema", $"Sample column '{name}' has type {type}; expected a vector of Single, the samples of one channel.");
}

/// <summary>The samples of the current row, dense.</summary>
internal sealed class SampleReader(DataViewRow input, DataViewSchema.Column column)
{
    private readonly ValueGetter<VBuffer<float>> _getter = input.GetGetter<VBuffer<float>>(column);
    private VBuffer<float> _values;
    private float[] _dense = [];

    /// <summary>Valid until the next call.</summary>
    public ReadOnlySpan<float> Read()
    {
        _getter(ref _values);
        if (_values.IsDense)
            return _values.GetValues();
        if (_dense.Length < _values.Length)
            _dense = new float[_values.Length];
        _values.CopyTo(_dense);
        return _dense.AsSpan(0, _values.Length);
    }
}
