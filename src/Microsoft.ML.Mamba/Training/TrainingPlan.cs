using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>A request that was checked: what is left open in it is decided here, before anything is built.</summary>
internal sealed class TrainingPlan
{
    private TrainingPlan(TrainingRequest request, MambaTrainingOptions options, MambaConfig config, TrainingObjective objective, SequenceSet train, SequenceSet? validation)
    {
        Request = request;
        Options = options;
        Config = config;
        Objective = objective;
        Train = train;
        Validation = validation;
        StepsPerEpoch = (train.Count + options.BatchSize - 1L) / options.BatchSize;
        Steps = options.Epochs * StepsPerEpoch;
        if (options.MaxSteps > 0)
        {
            Steps = Math.Min(Steps, options.MaxSteps);
        }
        Epochs = (int)((Steps + StepsPerEpoch - 1) / StepsPerEpoch);
        ClassWeights = options.ClassWeights ?? (options.ClassWeighting == MambaClassWeighting.Balanced && objective.Classes > 0 ? objective.BalancedWeights(train) : null);
        Seeds = SeedsOf(request, options);
    }

    internal TrainingRequest Request { get; }

    /// <summary>A copy of the caller's options.</summary>
    internal MambaTrainingOptions Options { get; }

    internal MambaConfig Config { get; }

    internal TrainingObjective Objective { get; }

    internal SequenceSet Train { get; }

    internal SequenceSet? Validation { get; }

    internal long StepsPerEpoch { get; }

    internal long Steps { get; }

    internal int Epochs { get; }

    internal float[]? ClassWeights { get; }

    internal SeedStreams Seeds { get; }

    /// <summary>What the fitted model is.</summary>
    /// <param name="history">What happened in training; null before it.</param>
    internal ModelDescription Describe(MambaTrainingHistory? history = null) => new()
    {
        Config = Config,
        Pooling = Request.Pooling,
        Objective = Objective,
        Tokenizer = Request.Tokenizer,
        MaxLength = Objective.CutsSequences ? Options.MaxLength : 0,
        Truncation = Options.Truncation,
        ReverseComplementAveraging = Options.ReverseComplementAveraging,
        Precision = Options.Precision,
        History = history ?? MambaTrainingHistory.None,
    };

    /// <summary>Checks a request.</summary>
    /// <exception cref="ArgumentException">Settings are out of range or do not fit each other or the data.</exception>
    /// <exception cref="MambaTrainingException">The data leave nothing to learn.</exception>
    internal static TrainingPlan Make(TrainingRequest request)
    {
        var options = request.Options.Clone();
        options.Validate();
        request.Config.Validate();
        CheckSettings(request, options);
        CheckRows(request.Train, "training");
        if (request.Validation is not null)
        {
            CheckRows(request.Validation, "validation");
            request.Objective.CheckTargets(request.Validation);
        }
        var config = Complete(request);
        config.Validate();
        var objective = request.Objective.LearnFrom(request.Train);
        var (train, validation) = (request.Train, request.Validation);
        if (validation is null && options.ValidationFraction > 0)
        {
            var rows = ValidationSplit.Choose(train, objective.Classes, options.ValidationFraction, SeedsOf(request, options).Split());
            if (rows.Validation.Length > 0)
            {
                (train, validation) = (train.Subset(rows.Train), train.Subset(rows.Validation));
            }
        }
        var plan = new TrainingPlan(request, options, config, objective, train, validation);
        return objective.Defect(plan.Describe()) is { } defect ? throw new ArgumentException(defect) : plan;
    }

    private static SeedStreams SeedsOf(TrainingRequest request, MambaTrainingOptions options) => new(options.Seed ?? request.Seed);

    private static string FrameSettingsIn(MambaTrainingOptions options)
    {
        (string Name, bool Used)[] settings =
        [
            (nameof(options.TimeMasks), options.TimeMasks > 0), (nameof(options.FrequencyMasks), options.FrequencyMasks > 0),
            (nameof(options.FrameStretch), options.FrameStretch > 0), (nameof(options.FrameGain), options.FrameGain > 0), (nameof(options.FrameNoise), options.FrameNoise > 0),
        ];
        return string.Join(", ", settings.Where(s => s.Used).Select(s => s.Name));
    }

    private static void CheckSettings(TrainingRequest request, MambaTrainingOptions options)
    {
        var strands = request.Tokenizer is { HasComplement: true };
        var letters = request.Tokenizer is { MutationLetters: > 0 };
        var given = request.Tokenizer is null ? "no tokenizer" : $"the tokenizer '{request.Tokenizer.Name}'";
        var violations = new List<string>();
        if (options.ReverseComplementAugmentation && !strands)
        {
            violations.Add($"ReverseComplementAugmentation is true; it needs SequenceTokenizer.Dna, the trainer has {given}.");
        }
        if (options.ReverseComplementAveraging && !strands)
        {
            violations.Add($"ReverseComplementAveraging is true; it needs SequenceTokenizer.Dna, the trainer has {given}.");
        }
        if (request.Config.ReadsBothStrands && (options.ReverseComplementAveraging || options.ReverseComplementAugmentation))
        {
            violations.Add("ReverseComplementAugmentation or ReverseComplementAveraging is true; leave them false, the model reads both strands already (MambaConfig.ReverseComplement).");
        }
        if (options.MutationRate > 0 && !letters)
        {
            violations.Add(FormattableString.Invariant($"MutationRate is {options.MutationRate}; it needs SequenceTokenizer.Dna, the trainer has {given}."));
        }
        if (request.Config.FrameWidth == 0 && FrameSettingsIn(options) is { Length: > 0 } frameSettings)
        {
            violations.Add($"{frameSettings} change frames; the sequences of the trainer are ids.");
        }
        var classes = request.Objective.Classes;
        if (options.ClassWeights is { } weights && classes > 0 && weights.Length != classes)
        {
            violations.Add($"ClassWeights has {weights.Length} numbers; the label has {classes} classes.");
        }
        if (violations.Count > 0)
        {
            throw new ArgumentException("MambaTrainingOptions: " + string.Join(" ", violations));
        }
        if (request.Config is { ReadsBothStrands: true, Complements: null } && !strands)
        {
            throw new ArgumentException(
                $"MambaConfig: ReverseComplement is {request.Config.ReverseComplement}; it needs the complement of each id, that is, a tokenizer that knows complements, such as SequenceTokenizer.Dna, or Complements; the trainer has {given}.");
        }
    }

    private static void CheckRows(SequenceSet set, string name)
    {
        if (set.Count == 0)
        {
            throw new MambaTrainingException($"There are no {name} rows. Rows without a label are skipped: check the label column and the filters before the trainer.");
        }
        if (set.TotalLength == 0)
        {
            throw new MambaTrainingException(FormattableString.Invariant($"All {set.Count:N0} {name} sequences are empty; check the sequence column."));
        }
    }

    // VocabSize or FrameWidth from the data where the configuration leaves them open; where it does not, they must fit.
    private static MambaConfig Complete(TrainingRequest request)
    {
        var (config, train, validation) = (request.Config, request.Train, request.Validation);
        if (validation is not null && (validation.Kind != train.Kind || validation.FrameWidth != train.FrameWidth))
        {
            throw new ArgumentException("The validation rows are of another kind or frame width than the training rows.");
        }
        if (train.Kind == SequenceKind.Frames)
        {
            return config is { VocabSize: 0 } && (config.FrameWidth == 0 || config.FrameWidth == train.FrameWidth)
                ? config with { FrameWidth = train.FrameWidth }
                : throw new ArgumentException(
                    $"MambaConfig: VocabSize is {config.VocabSize} and FrameWidth is {config.FrameWidth}; the sequences are frames of width {train.FrameWidth}, so expected 0 and 0 or {train.FrameWidth}.");
        }
        var needed = request.Tokenizer?.VocabSize ?? Math.Max(train.MaxId, validation?.MaxId ?? -1) + 1;
        return config is { FrameWidth: 0 } && (config.VocabSize == 0 || config.VocabSize >= needed)
            ? config with { VocabSize = Math.Max(config.VocabSize, needed), Complements = config.Complements ?? ComplementsOf(request) }
            : throw new ArgumentException(
                $"MambaConfig: VocabSize is {config.VocabSize} and FrameWidth is {config.FrameWidth}; the sequences are ids that need VocabSize {needed}, so expected 0 or at least {needed}, and 0.");
    }

    private static int[]? ComplementsOf(TrainingRequest request) => request.Config.ReadsBothStrands && request.Tokenizer is { HasComplement: true } tokenizer
        ? [.. Enumerable.Range(0, tokenizer.VocabSize).Select(tokenizer.Complement)]
        : null;
}
