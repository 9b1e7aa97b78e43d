using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads scored rows and works out <see cref="SequenceTaggingMetrics"/>.</summary>
internal sealed class TaggingEvaluation(IHost host, string labelName, string predictedName, string? backgroundLabel)
{
    /// <summary>Intersection over union from which on a segment counts as found.</summary>
    private const double Overlap = 0.5;

    private readonly SegmentTotals _segments = new();
    private long _trueEntities;
    private long _predictedEntities;
    private long _rightEntities;
    private long _rows;

    public SequenceTaggingMetrics Run(IDataView data)
    {
        host.CheckValue(data, nameof(data));
        var predicted = data.Schema.GetColumnOrNull(predictedName)
            ?? throw SequenceColumn.Missing(host, predictedName, "scored", "predictedLabelColumnName", data.Schema.Where(c => !c.IsHidden).Select(c => c.Name));
        if (predicted.Type is not VectorDataViewType { ItemType: KeyDataViewType { Count: > 0 and <= TagColumn.MostClasses } key } || key.RawType != typeof(uint))
            throw host.ExceptParam("schema", $"Column '{predictedName}' has type {predicted.Type}; expected a vector of keys, as SequenceTagging().Trainers.Mamba makes it.");
        var alignment = TagAlignment.Of(predicted);
        var label = TagColumn.Find(host, data.Schema, labelName, alignment.Unit);
        var names = NamesOf(predicted, (int)key.Count);
        var counts = new ConfusionCounts(names.Length);
        Count(data, label, predicted, alignment, names, counts);
        if (counts.Total == 0)
            throw host.Except($"There is no position with a label in column '{labelName}' to evaluate.");
        return new SequenceTaggingMetrics(counts, names, _rows, _segments,
            BioEntities.For(names) is null ? null : MultilabelTagMetrics.F1Of(_rightEntities, _predictedEntities, _trueEntities));
    }

    private void Count(IDataView data, DataViewSchema.Column label, DataViewSchema.Column predicted, TagAlignment alignment, string[] names, ConfusionCounts counts)
    {
        var classOfName = TagLabels.SlotsOf(names);
        int? background = BackgroundIn(classOfName, backgroundLabel ?? (alignment.Unit == MambaTagUnit.Event ? alignment.Background : null));
        var entities = BioEntities.For(names);
        using var cursor = data.GetRowCursor([label, predicted]);
        var labels = TagReader.Create(cursor, label, alignment, classOfName, ClassOfKey(label, classOfName));
        var getPredicted = cursor.GetGetter<VBuffer<uint>>(predicted);
        VBuffer<uint> given = default;
        while (cursor.MoveNext())
        {
            host.CheckAlive();
            getPredicted(ref given);
            if (Truth(labels, given.Length, cursor.Position) is not { } truth)
                continue;
            uint[] keys = [.. given.DenseValues()];
            int[] known = [.. Enumerable.Range(0, keys.Length).Where(i => truth[i] >= 0 && keys[i] != 0)];
            int[] right = [.. known.Select(i => truth[i])];
            int[] own = [.. known.Select(i => (int)keys[i] - 1)];
            for (var i = 0; i < right.Length; i++)
                counts.Add(right[i], own[i]);
            _rows++;
            _segments.Add(LabelSegments.Of(right, background), LabelSegments.Of(own, background), Overlap);
            if (entities is not null)
                Add(entities.In(right), entities.In(own));
        }
    }

    private int[]? Truth(TagReader labels, int count, long row)
    {
        try
        {
            return labels.Read(count);
        }
        catch (LabelException e)
        {
            throw host.Except(e, $"Label column '{labelName}', row {row} (from 0): {e.Message}");
        }
    }

    private void Add(HashSet<(int Start, int End, string Type)> right, HashSet<(int Start, int End, string Type)> own)
    {
        _trueEntities += right.Count;
        _predictedEntities += own.Count;
        _rightEntities += right.Count(own.Contains);
    }

    private int? BackgroundIn(IReadOnlyDictionary<string, int> classOfName, string? name) => name is null ? null
        : classOfName.TryGetValue(name, out var label) ? label
        : throw host.ExceptUserArg(nameof(backgroundLabel), $"'{name}' is no label of the model; its labels are {string.Join(", ", classOfName.Keys.Select(k => $"'{k}'"))}.");

    /// <summary>The model's class of each key of the label column, by name; null where either has no names: by number then.</summary>
    private static int[]? ClassOfKey(DataViewSchema.Column label, IReadOnlyDictionary<string, int> classOfName)
    {
        if (TagColumn.KeyOf(label) is not { } key || LabelValues.Of(label, (int)key.Count) is not { } values)
            return null;
        return [.. values.Texts().Select(name => classOfName.TryGetValue(name, out var label) ? label : PositionLabels.None)];
    }

    private static string[] NamesOf(DataViewSchema.Column predicted, int count) =>
        LabelValues.Of(predicted, count)?.Texts() ?? [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];
}
