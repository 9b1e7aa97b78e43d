namespace Microsoft.ML.Mamba;

/// <summary>What decides which epoch was the best one.</summary>
public enum MambaEarlyStoppingMetric
{
    /// <summary>The validation loss: cross-entropy per row, or mean squared error of the standardised label.</summary>
    Loss,

    /// <summary>The validation metric: accuracy, or root mean squared error; the loss decides between equals.</summary>
    Metric,
}
