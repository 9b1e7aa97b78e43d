namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A tiny model of each task, trained once for all test classes of the collection.</summary>
public sealed class PipelineModels : IDisposable
{
    private readonly Dictionary<PipelineTask, ITransformer> _models = [];

    public MLContext Context { get; } = new(seed: 7);

    /// <summary>The model of a task. It is shared: do not dispose it.</summary>
    public ITransformer this[PipelineTask task]
    {
        get
        {
            lock (_models)
            {
                if (!_models.TryGetValue(task, out var model))
                    _models[task] = model = Trainer(Context, task).Fit(PipelineData.View(Context, task, PipelineData.Rows(60)));
                return model;
            }
        }
    }

    /// <summary>A trainer whose Fit takes a fraction of a second.</summary>
    public static IEstimator<ITransformer> Trainer(MLContext ml, PipelineTask task, Action<MambaTrainerOptions>? change = null) => task switch
    {
        PipelineTask.Multiclass => ml.MulticlassClassification.Trainers.Mamba(Options<MambaMulticlassTrainer.Options>(change)),
        PipelineTask.Binary => ml.BinaryClassification.Trainers.Mamba(Options<MambaBinaryTrainer.Options>(change)),
        _ => ml.Regression.Trainers.Mamba(Options<MambaRegressionTrainer.Options>(change)),
    };

    /// <summary>Options of such a trainer.</summary>
    public static TOptions Options<TOptions>(Action<TOptions>? change = null)
        where TOptions : MambaTrainerOptions, new()
    {
        var options = new TOptions
        {
            Tokenizer = SequenceTokenizer.Dna,
            Model = new MambaConfig { DModel = 8, NLayer = 1, DState = 4 },
            Training = new MambaTrainingOptions { Epochs = 1, BatchSize = 16, Dropout = 0 },
            ScoringBatchSize = 16,
        };
        change?.Invoke(options);
        return options;
    }

    public void Dispose()
    {
        foreach (var model in _models.Values)
            ((IDisposable)model).Dispose();
    }
}

/// <summary>The test classes that share <see cref="PipelineModels"/>.</summary>
[CollectionDefinition(Name)]
public sealed class PipelineCollection : ICollectionFixture<PipelineModels>
{
    public const string Name = "Pipeline";
}
