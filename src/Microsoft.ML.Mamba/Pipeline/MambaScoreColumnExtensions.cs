using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML;

/// <summary>Reads the scores of a multiclass model with their labels.</summary>
public static class MambaScoreColumnExtensions
{
    /// <summary>The labels with their probabilities, the most probable first; equal probabilities in the order of the label's keys.</summary>
    /// <param name="scoreColumn">The score column, for example <c>engine.OutputSchema["Score"]</c> or <c>scored.Schema["Score"]</c>.</param>
    /// <param name="scores">A row's value of that column.</param>
    /// <returns>One pair per class. Where the label has no key values, the label is the number of the class, from 0.</returns>
    /// <exception cref="ArgumentException">The scores are not as many as the column has.</exception>
    public static IReadOnlyList<(string Label, float Probability)> RankLabels(this DataViewSchema.Column scoreColumn, ReadOnlySpan<float> scores)
    {
        if (scoreColumn.Type is not VectorDataViewType { IsKnownSize: true } type || type.Size != scores.Length)
            throw new ArgumentException($"Column '{scoreColumn.Name}' has type {scoreColumn.Type}; got {scores.Length} scores.", nameof(scores));

        var labels = LabelsOf(scoreColumn, scores.Length);
        var pairs = new (string Label, float Probability)[scores.Length];
        for (var i = 0; i < pairs.Length; i++)
            pairs[i] = (labels[i], scores[i]);
        return [.. pairs.OrderByDescending(p => p.Probability)];
    }

    private static string[] LabelsOf(DataViewSchema.Column column, int count)
    {
        var values = column.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.TrainingLabelValues);
        return values?.Type is VectorDataViewType { ItemType: TextDataViewType or NumberDataViewType } type && type.Size == count
            ? Format(column.Annotations, values.Value, type.ItemType)
            : [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];
    }

    private static string[] Format(DataViewSchema.Annotations annotations, DataViewSchema.Column values, DataViewType item)
    {
        var format = new Func<DataViewSchema.Annotations, DataViewSchema.Column, string[]>(Format<int>).Method.GetGenericMethodDefinition();
        return (string[])format.MakeGenericMethod(item.RawType).Invoke(null, [annotations, values])!;
    }

    private static string[] Format<T>(DataViewSchema.Annotations annotations, DataViewSchema.Column values)
    {
        VBuffer<T> buffer = default;
        annotations.GetGetter<VBuffer<T>>(values)(ref buffer);
        return [.. buffer.DenseValues().Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];
    }
}
