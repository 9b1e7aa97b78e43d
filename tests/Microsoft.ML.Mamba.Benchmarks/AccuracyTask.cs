namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A data set with the settings that its figures are made with. They were chosen on train and valid parts alone.</summary>
/// <param name="Name">Folder below the data directory, with train.tsv, test.tsv and perhaps valid.tsv: id, label, sequence.</param>
/// <param name="Metric">accuracy (in percent, one of several labels) or mcc (times 100, yes or no).</param>
/// <param name="Settings">Sets architecture and training; the tokenizer is DNA's.</param>
internal sealed record AccuracyTask(string Name, string Metric, Action<MambaTrainerOptions> Settings)
{
    public bool IsBinary => Metric == "mcc";

    public static AccuracyTask[] All { get; } =
    [
        // A junction sits in the middle of every window: positions tell.
        new("dna-splice", "accuracy", options =>
        {
            options.Model = new MambaConfig { DModel = 64, NLayer = 2, MaxPositions = 60 };
            options.Pooling = MambaPooling.MeanMax;
            options.Training = new MambaTrainingOptions { Epochs = 20, LearningRate = 2e-3, WeightDecay = 0.2, Dropout = 0.3 };
        }),

        // The motif may sit anywhere and on either strand.
        new("dna-tf-mouse2", "mcc", options =>
        {
            options.Model = new MambaConfig { DModel = 64, NLayer = 3 };
            options.Pooling = MambaPooling.Attention;
            options.Training = new MambaTrainingOptions
            {
                Epochs = 40, LearningRate = 2e-3, WeightDecay = 0.1, Dropout = 0.1, MutationRate = 0.05,
                ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
            };
        }),

        // Windows are aligned on the transcription start.
        new("dna-promoter-tata", "mcc", options =>
        {
            options.Model = new MambaConfig { DModel = 64, NLayer = 2, MaxPositions = 300 };
            options.Pooling = MambaPooling.MeanMax;
            options.Training = new MambaTrainingOptions { Epochs = 16, LearningRate = 2e-3, WeightDecay = 0.1, Dropout = 0.1, MutationRate = 0.05 };
        }),
    ];

    /// <summary>The settings of one run: the task's own, then overrides of the form <c>Training.LearningRate=1e-3</c>.</summary>
    public TOptions Options<TOptions>(IEnumerable<string> overrides) where TOptions : MambaTrainerOptions, new()
    {
        var options = new TOptions { Tokenizer = SequenceTokenizer.Dna };
        Settings(options);

        // All rows of the part train, and the last weights are kept; a validation set would cost rows and choose by luck.
        options.Training.ValidationFraction = 0;
        foreach (string setting in overrides)
            SettingOverride.Apply(options, setting);
        return options;
    }
}
