namespace Microsoft.ML.Mamba.Generation;

/// <summary>Turns ids into text as they come. A character whose bytes are spread over several ids waits for the last of them.</summary>
internal sealed class TextPieces(SequenceTokenizer tokenizer)
{
    // A character has four bytes at most, and a token one at least; what is still broken after more was never a character.
    private const int MostWaiting = 4;

    private readonly List<int> _waiting = [];

    /// <summary>The text that an id completes; empty while a character is not complete.</summary>
    public string Add(int id)
    {
        _waiting.Add(id);
        var text = tokenizer.Decode([.. _waiting]);
        if (text.EndsWith('\uFFFD') && _waiting.Count < MostWaiting)
            return "";
        _waiting.Clear();
        return text;
    }

    /// <summary>The text of what still waits when no more ids come.</summary>
    public string Rest()
    {
        var text = tokenizer.Decode([.. _waiting]);
        _waiting.Clear();
        return text;
    }
}
