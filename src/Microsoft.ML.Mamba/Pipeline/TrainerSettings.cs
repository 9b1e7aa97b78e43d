using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The options of an estimator as they were when it was made: checked, completed by those of a pretrained encoder, and out of the caller's reach.</summary>
internal sealed record TrainerSettings(
    string SequenceColumnName,
    string SequenceColumnOption,
    MambaConfig Model,
    MambaTrainingOptions Training,
    MambaPooling Pooling,
    EncoderSource? Encoder,
    bool FreezeEncoder,
    double EncoderLearningRateScale,
    SequenceTokenizer? Tokenizer,
    int FrameWidth,
    int ScoringBatchSize,
    IDataView? ValidationSet,
    Action<MambaTrainingProgress>? Progress,
    CancellationToken CancellationToken)
{
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static TrainerSettings From(IExceptionContext context, MambaSequenceOptions options, string estimator)
    {
        context.CheckValue(options, nameof(options));
        var violations = Violations(options).ToList();
        if (violations.Count > 0)
            throw context.ExceptUserArg(nameof(options), $"{estimator}: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");

        var (option, column) = options.InputColumns.Last();
        var encoder = options.Pretrained?.Source;
        var training = options.Training.Clone();
        if (encoder is not null && training.MaxLength == 0)
            (training.MaxLength, training.Truncation) = (encoder.MaxLength, encoder.Truncation);
        return new(column, option, encoder?.Config ?? options.Model, training, options.PoolingChoice,
            encoder, options.EncoderIsFrozen, options.EncoderRateScale, options.Tokenizer ?? encoder?.Tokenizer,
            options.FrameWidth, options.ScoringBatchSize, options.ValidationSet, options.Progress, options.CancellationToken);
    }

    private static IEnumerable<string> Violations(MambaSequenceOptions options)
    {
        foreach (var (property, _) in options.InputColumns.Concat(options.OutputColumns).Where(n => string.IsNullOrWhiteSpace(n.Name)))
            yield return $"{property} is empty; expected a column name.";
        foreach (var (same, properties) in Repeated(options.OutputColumns))
            yield return $"{properties} are both '{same}'; expected different names.";
        foreach (var (same, properties) in Repeated(options.InputColumns))
            yield return $"{properties} are both '{same}'; expected different columns.";
        if (!Enum.IsDefined(options.PoolingChoice))
            yield return $"Pooling is {options.PoolingChoice}; expected one of {string.Join(", ", Enum.GetNames<MambaPooling>())}.";
        foreach (var violation in options.OwnViolations())
            yield return violation;
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
        foreach (var violation in EncoderViolations(options))
            yield return violation;
    }

    private static IEnumerable<string> EncoderViolations(MambaSequenceOptions options)
    {
        if (options.Pretrained?.Source is not { } encoder)
            yield break;
        if (options.Model is { } model && model != new MambaConfig() && model != encoder.Config)
            yield return "Model is set, but the architecture is that of the encoder in Pretrained. Leave Model at its default.";
        if (options.Tokenizer is { } tokenizer && encoder.Tokenizer is { } own && !tokenizer.HasIdsOf(own))
            yield return $"Tokenizer is '{tokenizer.Name}', but the encoder in Pretrained was learnt with {(tokenizer.Name == own.Name ? "another of that kind, whose ids differ" : $"'{own.Name}'")}. Leave Tokenizer unset.";
    }

    private static IEnumerable<(string Name, string Properties)> Repeated(IEnumerable<(string Property, string Name)> columns) => columns
        .GroupBy(n => n.Name)
        .Where(g => g.Count() > 1 && !string.IsNullOrWhiteSpace(g.Key))
        .Select(g => (g.Key, string.Join(" and ", g.Select(n => n.Property))));

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
