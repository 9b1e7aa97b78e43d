using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// What the three estimators share: checks, reading, training, and the fitted scorer. It keeps nothing of one
/// <see cref="Fit"/> for the next.
/// </summary>
internal sealed class SequenceTrainer
{
    /// <summary>For <c>Info</c>: sequences are neither normalized nor cached, since training reads them once into memory.</summary>
    public static readonly TrainerInfo Info = new(normalization: false, caching: false);

    private readonly IHost _host;
    private readonly IPredictionTask _task;
    private readonly TrainerSettings _settings;

    public SequenceTrainer(IHostEnvironment env, string name, MambaTrainerOptions options, Func<IPredictionTask> createTask)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(name);
        _settings = TrainerSettings.From(_host, options, name);
        _task = createTask();
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        var kind = SequenceColumn.Classify(_host, inputSchema, _settings.SequenceColumnName);
        SequenceEncoding.CheckTokenizer(_host, kind, _settings);
        var label = LabelColumn.Find(_host, _task, inputSchema, _settings.LabelColumnName);
        return _task.Promise(label).AppendTo(inputSchema);
    }

    public SequenceScorer Fit(IDataView trainingData, IDataView? validationData)
    {
        _host.CheckValue(trainingData, nameof(trainingData));
        var encoding = SequenceEncoding.For(_host, trainingData.Schema, _settings);
        var label = LabelColumn.Find(_host, _task, trainingData.Schema, _settings.LabelColumnName);
        validationData ??= _settings.ValidationSet;
        if (validationData is not null)
            CheckValidation(validationData.Schema, encoding, label);

        using var channel = _host.Start("Training");
        if (encoding.Tokenizer?.CannotBeSavedBecause is { } reason)
            channel.Warning($"The model will work in this process, but it cannot be saved: {reason}");
        var reader = new TrainingSetReader(_host, channel, _task, _settings);
        var training = reader.Read(trainingData, encoding, "training");
        if (encoding is { IsFrames: false, VocabSize: 0 })
            encoding = encoding.WithVocabSize(training.MaxId + 1);
        var validation = validationData is null ? null : reader.Read(validationData, encoding, "validation");
        var predictor = Train(channel, reader, encoding, _task.CreateObjective(label), training, validation);
        return new SequenceScorer(_host, predictor, encoding, _task.CreateOutputs(label), _settings.SequenceColumnName, _settings.ScoringBatchSize);
    }

    private SequencePredictor Train(IChannel channel, TrainingSetReader reader, SequenceEncoding encoding, TrainingObjective objective,
        SequenceSet training, SequenceSet? validation)
    {
        var request = new TrainingRequest
        {
            Config = _settings.Model with { VocabSize = encoding.VocabSize, FrameWidth = encoding.FrameWidth },
            Pooling = _settings.Pooling,
            Objective = objective,
            Tokenizer = encoding.Tokenizer,
            Train = training,
            Validation = validation,
            Options = _settings.Training,
            // A seed of the options beats that of the context; with neither, each Fit is a new draw.
            Seed = (_host as IHostEnvironmentInternal)?.Seed ?? Random.Shared.Next(),
            Progress = _settings.Progress,
            Info = channel.Info,
            Warning = channel.Warning,
            CheckAlive = reader.CheckAlive,
        };
        try
        {
            return TrainingLoop.Run(request);
        }
        catch (ArgumentException e)
        {
            // Settings that do not fit the data, for example class weights for another number of classes.
            throw _host.ExceptUserArg("options", e.Message);
        }
    }

    private void CheckValidation(DataViewSchema schema, SequenceEncoding encoding, DataViewSchema.Column trainingLabel)
    {
        encoding.Find(_host, schema, _settings.SequenceColumnName);
        var label = LabelColumn.Find(_host, _task, schema, _settings.LabelColumnName);
        if (!label.Type.Equals(trainingLabel.Type))
            throw _host.ExceptParam("schema", $"Label column '{label.Name}' of the validation data has type {label.Type}; expected {trainingLabel.Type} as in the training data. "
                + "Map both with the same fitted transformer.");
    }
}
