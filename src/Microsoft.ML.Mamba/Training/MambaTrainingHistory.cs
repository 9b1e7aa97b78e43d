namespace Microsoft.ML.Mamba;

/// <summary>What happened in a training run; kept in the model.</summary>
/// <param name="Epochs">One record per completed epoch.</param>
/// <param name="BestEpoch">
/// The epoch, from 1, whose weights the model has; 0 when they come from within the first epoch because training broke off
/// there.
/// </param>
/// <param name="StoppedBecause">Why training ended before its last epoch, or null when it did not.</param>
/// <param name="TrainingSequences">Rows trained on.</param>
/// <param name="ValidationSequences">Rows held out for validation.</param>
/// <param name="ParameterCount">Trained numbers in the model.</param>
public sealed record MambaTrainingHistory(
    IReadOnlyList<MambaTrainingProgress> Epochs,
    int BestEpoch,
    string? StoppedBecause,
    long TrainingSequences,
    long ValidationSequences,
    long ParameterCount)
{
    /// <summary>Before training.</summary>
    internal static MambaTrainingHistory None { get; } = new([], 0, null, 0, 0, 0);
}
