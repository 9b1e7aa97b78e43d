namespace Microsoft.ML.Mamba;

/// <summary>An audio file cannot be read, or is not what it claims to be. The message names the file, what was expected and what was found.</summary>
public sealed class MambaAudioException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">What was expected and what was found.</param>
    /// <param name="innerException">What led to it, if anything did.</param>
    public MambaAudioException(string path, string problem, Exception? innerException = null)
        : base($"'{path}': {problem}", innerException) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }
}
