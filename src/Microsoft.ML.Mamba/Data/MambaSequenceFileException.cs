namespace Microsoft.ML.Mamba;

/// <summary>A FASTA, FASTQ or GFF3 file cannot be read, or a line of it is not what the format says. The message names file, line, what was expected and what was found.</summary>
public sealed class MambaSequenceFileException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file.</param>
    /// <param name="line">The line, from 1; 0: the file as a whole.</param>
    /// <param name="problem">What was expected and what was found.</param>
    /// <param name="innerException">What led to it, if anything did.</param>
    public MambaSequenceFileException(string path, long line, string problem, Exception? innerException = null)
        : base(line > 0 ? FormattableString.Invariant($"'{path}', line {line}: {problem}") : $"'{path}': {problem}", innerException) =>
        (Path, Line) = (path, line);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The line, from 1; 0: the file as a whole.</summary>
    public long Line { get; }
}
