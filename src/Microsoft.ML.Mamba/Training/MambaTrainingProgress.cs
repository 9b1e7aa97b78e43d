namespace Microsoft.ML.Mamba;

/// <summary>Where a training run stands. Records are immutable, so they may be kept and handed to other threads.</summary>
/// <param name="Epoch">The current epoch, from 1.</param>
/// <param name="Epochs">The most epochs that this run will take.</param>
/// <param name="Step">Steps done, over all epochs.</param>
/// <param name="Steps">The most steps that this run will take.</param>
/// <param name="TrainingLoss">The mean training loss per row of this epoch so far; label smoothing and class weights included.</param>
/// <param name="ValidationLoss">
/// Cross-entropy per row (nats), or mean squared error of the standardised label; without smoothing or weights. Where an encoder
/// is learnt without labels: the same per predicted position. Null without validation, and within an epoch.
/// </param>
/// <param name="MetricName">What <paramref name="ValidationMetric"/> is: "accuracy", "macro F1", "mean average precision", "RMSE" or "perplexity". Null where that is null.</param>
/// <param name="ValidationMetric">Accuracy as a fraction, or root mean squared error in units of the label (of standardised frames without labels), or perplexity. Null without validation, and within an epoch.</param>
/// <param name="SequencesPerSecond">Training rows per second in this epoch.</param>
/// <param name="TokensPerSecond">Training positions per second in this epoch, padding not counted.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="Elapsed">Time since the run began.</param>
/// <param name="EstimatedTimeLeft">Time that the remaining epochs will take at the present speed.</param>
/// <param name="IsBest">Whether this epoch is the best so far (without validation: the latest always is). False within an epoch.</param>
/// <param name="EpochCompleted">True once at the end of each epoch; false for the reports within one, which come at most every half second.</param>
public sealed record MambaTrainingProgress(
    int Epoch,
    int Epochs,
    long Step,
    long Steps,
    double TrainingLoss,
    double? ValidationLoss,
    string? MetricName,
    double? ValidationMetric,
    double SequencesPerSecond,
    double TokensPerSecond,
    double LearningRate,
    TimeSpan Elapsed,
    TimeSpan EstimatedTimeLeft,
    bool IsBest,
    bool EpochCompleted);
