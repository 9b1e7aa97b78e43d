namespace Microsoft.ML.Mamba;

/// <summary>
/// A model cannot be trained: the data do not allow it (no rows, one class only, all sequences empty), or the loss was not
/// finite before there were any weights worth keeping. It is an <see cref="InvalidOperationException"/>, the kind of error
/// that ML.NET reports for bad data.
/// </summary>
public sealed class MambaTrainingException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what to do about it.</param>
    public MambaTrainingException(string message)
        : base(message)
    {
    }
}
