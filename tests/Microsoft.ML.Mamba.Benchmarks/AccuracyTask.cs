namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A data set with the settings that its figures are made with. They were chosen on train and valid parts alone.</summary>
internal sealed record AccuracyTask
{
    /// <summary>Folder below the data directory, with train.tsv, test.tsv and perhaps valid.tsv: id, label, …, sequence.</summary>
    public required string Name { get; init; }

    /// <summary>accuracy (in percent, one of several labels) or mcc (times 100, yes or no).</summary>
    public required string Metric { get; init; }

    /// <summary>Sets architecture, pooling and training.</summary>
    public required Action<MambaTrainerOptions> Settings { get; init; }

    /// <summary>Sets what differs when the encoder comes pretrained.</summary>
    public Action<MambaTrainerOptions> TuningSettings { get; init; } = _ => { };

    /// <summary>The column of the sequence, from 0.</summary>
    public int SequenceColumn { get; init; } = 2;

    /// <summary>Ids of the vocabulary that is learnt from the training texts; 0 for DNA.</summary>
    public int VocabSize { get; init; }

    public bool IsBinary => Metric == "mcc";

    public bool IsText => VocabSize > 0;

    public static AccuracyTask[] All { get; } =
    [
        new()
        {
            Name = "dna-splice",
            Metric = "accuracy",
            Settings = options =>
            {
                // A junction sits in the middle of every window: positions tell.
                options.Model = new MambaConfig { DModel = 64, NLayer = 2, MaxPositions = 60 };
                options.Pooling = MambaPooling.MeanMax;
                options.Training = new MambaTrainingOptions { Epochs = 20, LearningRate = 2e-3, WeightDecay = 0.2, Dropout = 0.3 };
            },
        },
        new()
        {
            Name = "dna-tf-mouse2",
            Metric = "mcc",
            Settings = options =>
            {
                // The motif may sit anywhere and on either strand.
                options.Model = new MambaConfig { DModel = 64, NLayer = 3 };
                options.Pooling = MambaPooling.Attention;
                options.Training = new MambaTrainingOptions
                {
                    Epochs = 40, LearningRate = 2e-3, WeightDecay = 0.1, Dropout = 0.1, MutationRate = 0.05,
                    ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
                };
            },
        },
        new()
        {
            Name = "dna-promoter-tata",
            Metric = "mcc",
            Settings = options =>
            {
                // Windows are aligned on the transcription start.
                options.Model = new MambaConfig { DModel = 64, NLayer = 2, MaxPositions = 300 };
                options.Pooling = MambaPooling.MeanMax;
                options.Training = new MambaTrainingOptions { Epochs = 16, LearningRate = 2e-3, WeightDecay = 0.1, Dropout = 0.1, MutationRate = 0.05 };
            },
        },
        new()
        {
            Name = "text-sentences",
            Metric = "accuracy",
            SequenceColumn = 3,
            VocabSize = 2048,
            Settings = options =>
            {
                // One telling word is enough, so the strongest position counts; few rows, so one layer.
                options.Model = new MambaConfig { DModel = 64, NLayer = 1 };
                options.Pooling = MambaPooling.Max;
                options.Training = new MambaTrainingOptions { Epochs = 15, BatchSize = 16, LearningRate = 5e-4, Dropout = 0.3 };
            },
        },
        new()
        {
            Name = "text-reviews-long",
            Metric = "accuracy",
            SequenceColumn = 3,
            VocabSize = 8192,
            Settings = options =>
            {
                // Opinions are spread over the whole review.
                options.Model = new MambaConfig { DModel = 64, NLayer = 1 };
                options.Pooling = MambaPooling.Attention;
                options.Training = new MambaTrainingOptions { Epochs = 10, BatchSize = 8, LearningRate = 2e-3, Dropout = 0.3 };
            },
        },
    ];

    /// <summary>The settings of one run: the task's own, then overrides of the form <c>Training.LearningRate=1e-3</c>.</summary>
    /// <param name="tokenizer">What makes the ids.</param>
    /// <param name="pretrained">The encoder to begin with, or null.</param>
    /// <param name="overrides">They beat the task's settings.</param>
    public TOptions Options<TOptions>(SequenceTokenizer tokenizer, MambaEncoder? pretrained, IEnumerable<string> overrides)
        where TOptions : MambaTrainerOptions, new()
    {
        var options = new TOptions();
        Settings(options);
        options.Tokenizer = tokenizer;

        // All rows of the part train, and the last weights are kept; a validation set would cost rows and choose by luck.
        options.Training.ValidationFraction = 0;
        if (pretrained is not null)
        {
            (options.Pretrained, options.Model) = (pretrained, new MambaConfig());
            TuningSettings(options);
        }

        foreach (string setting in overrides)
            SettingOverride.Apply(options, setting);
        return options;
    }
}
