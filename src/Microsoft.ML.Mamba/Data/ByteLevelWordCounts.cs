using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Data;

/// <summary>How often each word occurs in texts, cut as <see cref="BytePairTokenizer"/> cuts them. Memory grows with the number of distinct words.</summary>
internal sealed class ByteLevelWordCounts
{
    private readonly Dictionary<string, long> _counts = [];
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _countOf;
    private readonly TextNormalizer _normalizer;

    internal ByteLevelWordCounts(TextNormalizer normalizer)
    {
        _normalizer = normalizer;
        _countOf = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal IReadOnlyDictionary<string, long> Counts => _counts;

    internal void Add(string text)
    {
        foreach (var word in new ByteLevelWords(_normalizer.Apply(TextNormalizer.WellFormed(text))))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_countOf, word, out _)++;
        }
    }
}
