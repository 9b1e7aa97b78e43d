using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The raw outputs of the model for the row that a getter is asked for.</summary>
internal interface IRowScores
{
    /// <summary>One value per output of the model.</summary>
    ReadOnlySpan<float> Current { get; }
}

/// <summary>An annotation of a score column beyond those that all of them have.</summary>
internal readonly record struct ScoreAnnotation(string Kind, DataViewType Type, Delegate Getter);

/// <summary>One output column: the single source of its type, its annotations and its values.</summary>
internal sealed class ScoreColumn(string name, DataViewType type, string valueKind, Func<IRowScores, Delegate> createGetter, params ScoreAnnotation[] annotations)
{
    public string Name { get; } = name;

    /// <summary>A <see cref="ValueGetter{TValue}"/> of the column's raw type over the scores of the current row.</summary>
    public Delegate CreateGetter(IRowScores scores) => createGetter(scores);

    public DataViewSchema.DetachedColumn Detached(uint setId, string columnKind)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        foreach (var annotation in annotations)
            builder.Add(annotation.Kind, annotation.Type, annotation.Getter);
        builder.Add(AnnotationUtils.Kinds.ScoreColumnSetId, AnnotationUtils.ScoreColumnSetIdType, (ref uint value) => value = setId);
        builder.Add(AnnotationUtils.Kinds.ScoreColumnKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = columnKind.AsMemory());
        builder.Add(AnnotationUtils.Kinds.ScoreValueKind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = valueKind.AsMemory());
        return new(Name, type, builder.ToAnnotations());
    }
}
