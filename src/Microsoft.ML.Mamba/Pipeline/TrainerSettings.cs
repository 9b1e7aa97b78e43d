using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The options of a trainer as they were when it was made: checked, and out of the caller's reach.</summary>
internal sealed record TrainerSettings(
    string LabelColumnName,
    string SequenceColumnName,
    MambaConfig Model,
    MambaTrainingOptions Training,
    MambaPooling Pooling,
    SequenceTokenizer? Tokenizer,
    int FrameWidth,
    int ScoringBatchSize,
    IDataView? ValidationSet,
    Action<MambaTrainingProgress>? Progress,
    CancellationToken CancellationToken)
{
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static TrainerSettings From(IExceptionContext context, MambaTrainerOptions options, string trainer)
    {
        context.CheckValue(options, nameof(options));
        var violations = Violations(options).ToList();
        if (violations.Count > 0)
            throw context.ExceptUserArg(nameof(options), $"{trainer}: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");

        return new(options.LabelColumnName, options.SequenceColumnName, options.Model, options.Training.Clone(), options.Pooling,
            options.Tokenizer, options.FrameWidth, options.ScoringBatchSize, options.ValidationSet, options.Progress, options.CancellationToken);
    }

    private static IEnumerable<string> Violations(MambaTrainerOptions options)
    {
        var names = options.OutputColumns
            .Prepend((Property: nameof(options.SequenceColumnName), Name: options.SequenceColumnName))
            .Prepend((Property: nameof(options.LabelColumnName), Name: options.LabelColumnName))
            .ToList();
        foreach (var (property, _) in names.Where(n => string.IsNullOrWhiteSpace(n.Name)))
            yield return $"{property} is empty; expected a column name.";
        foreach (var same in options.OutputColumns.GroupBy(n => n.Name).Where(g => g.Count() > 1 && !string.IsNullOrWhiteSpace(g.Key)))
            yield return $"{string.Join(" and ", same.Select(n => n.Property))} are both '{same.Key}'; expected different names.";
        if (options.LabelColumnName == options.SequenceColumnName && !string.IsNullOrWhiteSpace(options.LabelColumnName))
            yield return $"LabelColumnName and SequenceColumnName are both '{options.LabelColumnName}'; expected different columns.";
        if (!Enum.IsDefined(options.Pooling))
            yield return $"Pooling is {options.Pooling}; expected one of {string.Join(", ", Enum.GetNames<MambaPooling>())}.";
        if (options.FrameWidth < 0)
            yield return $"FrameWidth is {options.FrameWidth}; expected 0 (from the column) or more.";
        if (options.ScoringBatchSize < 1)
            yield return $"ScoringBatchSize is {options.ScoringBatchSize}; expected at least 1.";
        if (options.Model is null)
            yield return "Model is null; expected a MambaConfig.";
        else if (MessageOf(options.Model.Validate) is { } model)
            yield return model;
        if (options.Training is null)
            yield return "Training is null; expected MambaTrainingOptions.";
        else if (MessageOf(options.Training.Validate) is { } training)
            yield return training;
    }

    private static string? MessageOf(Action validate)
    {
        try
        {
            validate();
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
