namespace Microsoft.ML.Mamba;

/// <summary>A file that should hold a model's weights or settings does not hold what it must. The message names file, tensor and cure.</summary>
public sealed class MambaCheckpointException : FormatException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">What led to it, if anything did.</param>
    public MambaCheckpointException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
