namespace Microsoft.ML.Mamba;

/// <summary>
/// A text holds a character that the tokenizer has no id for. It is an <see cref="InvalidOperationException"/>, the kind
/// of error that ML.NET reports for bad data.
/// </summary>
public sealed class SequenceTokenizationException : InvalidOperationException
{
    /// <summary>Creates the exception for one character.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="character">The refused character (a UTF-16 unit).</param>
    /// <param name="position">Where it stands in the text, in UTF-16 units from 0.</param>
    /// <param name="accepted">What the tokenizer accepts, in words.</param>
    public SequenceTokenizationException(string message, char character, int position, string accepted)
        : base(message)
    {
        Character = character;
        Position = position;
        Accepted = accepted;
    }

    /// <summary>The refused character (a UTF-16 unit).</summary>
    public char Character { get; }

    /// <summary>Where it stands in the text, in UTF-16 units from 0.</summary>
    public int Position { get; }

    /// <summary>What the tokenizer accepts, in words.</summary>
    public string Accepted { get; }
}
