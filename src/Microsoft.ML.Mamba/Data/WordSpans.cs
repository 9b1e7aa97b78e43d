namespace Microsoft.ML.Mamba.Data;

/// <summary>The words of a text: what stands between white space.</summary>
internal static class WordSpans
{
    /// <summary>Start and length of each word, in characters, in order.</summary>
    internal static void Find(ReadOnlySpan<char> text, List<(int Start, int Length)> words)
    {
        words.Clear();
        for (var at = 0; at < text.Length;)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            var start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            if (at > start)
            {
                words.Add((start, at - start));
            }
        }
    }
}
