using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The raw outputs of the model for the row that a getter is asked for.</summary>
internal interface IRowScores
{
    /// <summary>One value per output of the model; where it answers for each position, as many for each.</summary>
    ReadOnlySpan<float> Current { get; }
}

/// <summary>An annotation of an output column beyond those that all score columns have.</summary>
internal readonly record struct ScoreAnnotation(string Kind, DataViewType Type, Delegate Getter);

/// <summary>One output column: the single source of its type, its annotations and its values.</summary>
/// <param name="name">The column.</param>
/// <param name="type">Its type.</param>
/// <param name="valueKind">Which of the scores it is, for evaluators; null: it is no score.</param>
/// <param name="createGetter">Makes its getter.</param>
/// <param name="annotations">What else is known of it.</param>
internal sealed class ScoreColumn(string name, DataViewType type, string? valueKind, Func<IRowScores, Delegate> createGetter, params ScoreAnnotation[] annotations)
{
    public string Name { get; } = name;

    /// <summary>All values of a row as a vector.</summary>
    public static Delegate VectorGetter(IRowScores scores) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> vector) =>
    {
        var values = scores.Current;
        var editor = VBufferEditor.Create(ref vector, values.Length);
        values.CopyTo(editor.Values);
        vector = editor.Commit();
    });

    /// <summary>A <see cref="ValueGetter{TValue}"/> of the column's raw type over the scores of the current row.</summary>
    public Delegate CreateGetter(IRowScores scores) => createGetter(scores);

    public DataViewSchema.DetachedColumn Detached(uint setId, string? columnKind)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        foreach (var annotation in annotations)
            builder.Add(annotation.Kind, annotation.Type, annotation.Getter);
        if (valueKind is not null)
        {
            builder.Add(AnnotationUtils.Kinds.ScoreColumnSetId, AnnotationUtils.ScoreColumnSetIdType, (ref uint value) => value = setId);
            builder.Add(AnnotationUtils.Kinds.ScoreColumnKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = columnKind.AsMemory());
            builder.Add(AnnotationUtils.Kinds.ScoreValueKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = valueKind.AsMemory());
        }
        return new(Name, type, builder.ToAnnotations());
    }
}
