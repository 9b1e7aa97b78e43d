using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Name, start and length of a sequence → a label for each nucleotide.</summary>
internal sealed class GeneLabelColumn(IHost host, GeneAnnotation annotation, string path, GeneAnnotationOptions options)
    : MappedColumn(host, options.OutputColumnName)
{
    private readonly string[] _labels = GeneAnnotation.Labels(options.CodonPositions);

    public override DataViewSchema.Column[] FindInputs(DataViewSchema schema)
    {
        var id = Find(schema, options.IdColumnName, "name", nameof(options.IdColumnName), TextDataViewType.Instance);
        var sequence = Find(schema, options.SequenceColumnName, "sequence", nameof(options.SequenceColumnName), TextDataViewType.Instance);
        return schema.GetColumnOrNull(options.StartColumnName) is null
            ? [id, sequence]
            : [id, sequence, Find(schema, options.StartColumnName, "start", nameof(options.StartColumnName), NumberDataViewType.Int64)];
    }

    public override DataViewSchema.DetachedColumn Output()
    {
        if (options.AsText)
            return new(OutputColumnName, TextDataViewType.Instance);
        var names = new VBuffer<ReadOnlyMemory<char>>(_labels.Length, [.. _labels.Select(label => label.AsMemory())]);
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddKeyValues<ReadOnlyMemory<char>>(names.Length, TextDataViewType.Instance, (ref VBuffer<ReadOnlyMemory<char>> values) => names.CopyTo(ref values));
        return new(OutputColumnName, new VectorDataViewType(new KeyDataViewType(typeof(uint), _labels.Length)), builder.ToAnnotations());
    }

    public override Delegate CreateGetter(DataViewRow input, RowFaults faults)
    {
        var columns = FindInputs(input.Schema);
        var getId = input.GetGetter<ReadOnlyMemory<char>>(columns[0]);
        var getSequence = input.GetGetter<ReadOnlyMemory<char>>(columns[1]);
        var getStart = columns.Length > 2 ? input.GetGetter<long>(columns[2]) : (ref long start) => start = 0;
        ReadOnlyMemory<char> id = default, sequence = default;
        var start = 0L;
        int[] Labels()
        {
            getId(ref id);
            getSequence(ref sequence);
            getStart(ref start);
            var (name, labels) = (id.ToString(), new int[sequence.Length]);
            if (!annotation.Knows(name))
                faults.Add(input.Position, new KeyNotFoundException($"'{path}' has no {options.FeatureType} of a sequence named '{name}'."));
            annotation.Fill(name, start, labels, options.CodonPositions);
            return labels;
        }

        if (options.AsText)
            return (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = string.Concat(Labels().Select(label => _labels[label])).AsMemory());
        return (ValueGetter<VBuffer<uint>>)((ref VBuffer<uint> value) =>
        {
            var labels = Labels();
            var editor = VBufferEditor.Create(ref value, labels.Length);
            for (var i = 0; i < labels.Length; i++)
                editor.Values[i] = (uint)labels[i] + 1;
            value = editor.Commit();
        });
    }

    public override string Warning(RowFaults faults) =>
        FormattableString.Invariant($"{faults.Count:N0} rows lie in sequences without features; all their labels are '0'. The first: {faults.First}");

    private DataViewSchema.Column Find(DataViewSchema schema, string name, string role, string option, DataViewType type)
    {
        var column = schema.GetColumnOrNull(name)
            ?? throw SequenceColumn.Missing(Host, name, role, option, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return column.Type.Equals(type) ? column : throw Host.ExceptParam("schema", $"The {role} column '{name}' has type {column.Type}; expected {type}.");
    }
}
