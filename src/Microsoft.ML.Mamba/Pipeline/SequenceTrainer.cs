using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// What all estimators share: checks, reading, training, and the fitted scorer. It keeps nothing of one
/// <see cref="Fit"/> for the next.
/// </summary>
internal sealed class SequenceTrainer
{
    /// <summary>For <c>Info</c>: sequences are neither normalized nor cached, since training reads them once into memory.</summary>
    public static readonly TrainerInfo Info = new(normalization: false, caching: false);

    private readonly IHost _host;
    private readonly ISequenceTask _task;
    private readonly TrainerSettings _settings;

    public SequenceTrainer(IHostEnvironment env, string name, MambaSequenceOptions options, Func<ISequenceTask> createTask)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(name);
        _settings = TrainerSettings.From(_host, options, name);
        _task = createTask();
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        var kind = SequenceColumn.Classify(_host, inputSchema, _settings.SequenceColumnName, _settings.SequenceColumnOption);
        SequenceEncoding.CheckKind(_host, kind, _settings);
        return _task.Promise(_host, inputSchema, _settings).AppendTo(inputSchema);
    }

    public SequenceScorer Fit(IDataView trainingData, IDataView? validationData)
    {
        _host.CheckValue(trainingData, nameof(trainingData));
        var encoding = SequenceEncoding.For(_host, trainingData.Schema, _settings);
        var task = _task.Bind(_host, trainingData, _settings.SequenceColumnName, CheckAlive);
        validationData ??= _settings.ValidationSet;
        if (validationData is not null)
        {
            encoding.Find(_host, validationData.Schema, _settings.SequenceColumnName);
            task.CheckValidation(_host, validationData.Schema);
        }

        using var channel = _host.Start("Training");
        var device = ScoringDevice.Choose(_host, channel);
        if (encoding.Tokenizer?.CannotBeSavedBecause is { } reason)
            channel.Warning($"The model will work in this process, but it cannot be saved: {reason}");
        var predictor = _settings.Encoder is { } encoder && !task.LearnsBeyondEncoder
            ? Copy(encoder, encoding, task, device)
            : Train(channel, trainingData, validationData, ref encoding, task, device);
        return new SequenceScorer(_host, predictor, encoding, task.CreateOutputs(predictor.Description), _settings.SequenceColumnName, _settings.ScoringBatchSize);
    }

    private SequencePredictor Train(IChannel channel, IDataView trainingData, IDataView? validationData, ref SequenceEncoding encoding, IBoundTask task, ComputeDevice device)
    {
        var objective = OrUserError(() => task.Objective); // before rows are read: settings may not fit the labels
        var reader = new TrainingSetReader(_host, channel, task, _settings, CheckAlive);
        var training = reader.Read(trainingData, encoding, "training");
        if (encoding is { IsFrames: false, VocabSize: 0 })
            encoding = encoding.WithVocabSize(training.MaxId + 1);
        var request = new TrainingRequest
        {
            Config = _settings.Model with { VocabSize = encoding.VocabSize, FrameWidth = encoding.FrameWidth },
            Encoder = _settings.Encoder,
            FreezeEncoder = _settings.FreezeEncoder,
            EncoderLearningRateScale = _settings.EncoderLearningRateScale,
            Pooling = _settings.Pooling,
            Objective = objective,
            Tokenizer = encoding.Tokenizer,
            Train = training,
            Validation = validationData is null ? null : reader.Read(validationData, encoding, "validation"),
            Options = _settings.Training,
            Device = device,
            // A seed of the options beats that of the context; with neither, each Fit is a new draw.
            Seed = (_host as IHostEnvironmentInternal)?.Seed ?? Random.Shared.Next(),
            Progress = _settings.Progress,
            Info = channel.Info,
            Warning = channel.Warning,
            CheckAlive = CheckAlive,
        };
        return OrUserError(() => TrainingLoop.Run(request));
    }

    private void CheckAlive()
    {
        _settings.CancellationToken.ThrowIfCancellationRequested();
        _host.CheckAlive();
    }

    private SequencePredictor Copy(EncoderSource encoder, SequenceEncoding encoding, IBoundTask task, ComputeDevice device) => OrUserError(() => encoder.ToPredictor(new ModelDescription
    {
        Config = encoder.Config,
        Pooling = _settings.Pooling,
        Objective = task.Objective,
        Tokenizer = encoding.Tokenizer,
        MaxLength = _settings.Training.MaxLength,
        Truncation = _settings.Training.Truncation,
        ReverseComplementAveraging = _settings.Training.ReverseComplementAveraging || (encoder.ReverseComplementAveraging && !task.Objective.PerPosition),
        Precision = _settings.Training.Precision,
        History = encoder.History,
    }, device));

    private T OrUserError<T>(Func<T> fit)
    {
        try
        {
            return fit();
        }
        catch (ArgumentException e)
        {
            // Settings that do not fit the data, for example class weights for another number of classes.
            throw _host.ExceptUserArg("options", e.Message);
        }
    }
}
