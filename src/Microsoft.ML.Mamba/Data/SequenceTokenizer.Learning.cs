using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba;

/// <summary>Learning a vocabulary from texts.</summary>
public abstract partial class SequenceTokenizer
{
    private const int NumberOfBytes = 256;

    // The file of such a vocabulary stays below TokenizerFile.MaxBytes, whatever its tokens are.
    private const int LargestVocabulary = 200_000;

    /// <summary>
    /// Learns a vocabulary from texts: byte-level BPE (Sennrich, Haddow and Birch 2016), with the words, ids and merges that the
    /// tokenizers library of Hugging Face learns. Every text can be encoded and comes back from its ids, since all bytes are
    /// tokens; the same texts always give the same tokenizer. Give the training texts only, not those that a model is tested on.
    /// </summary>
    /// <param name="texts">The texts, read once, one at a time; empty ones count for nothing. Memory grows with their distinct words.</param>
    /// <param name="vocabSize">
    /// The most ids, 257 to 200,000: 256 bytes and the learnt tokens. There are fewer when no more pairs occur
    /// <paramref name="minimumCount"/> times. Small data sets do well with 1,000 to 8,000; each id is a row of a model's embedding.
    /// </param>
    /// <param name="lowercase">Whether texts are put in lower case first, then and in every use; decoded text is in lower case then.</param>
    /// <param name="minimumCount">How often two neighbouring tokens must occur in the texts to become one; at least 1.</param>
    /// <returns>The tokenizer, as if read from a <c>tokenizer.json</c>: it is saved with a model, and by <see cref="Save(string)"/>.</returns>
    /// <exception cref="ArgumentException">A text is null, or there is no text that is not empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="vocabSize"/> or <paramref name="minimumCount"/> is outside its bounds.</exception>
    public static SequenceTokenizer LearnBytePairs(IEnumerable<string> texts, int vocabSize = 8192, bool lowercase = false, int minimumCount = 2)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (vocabSize is <= NumberOfBytes or > LargestVocabulary)
        {
            throw new ArgumentOutOfRangeException(
                nameof(vocabSize),
                vocabSize,
                $"SequenceTokenizer.LearnBytePairs: expected vocabSize from {NumberOfBytes + 1} (the bytes and one learnt token) to {LargestVocabulary}. "
                + "For bytes alone use SequenceTokenizer.Bytes.");
        }
        if (minimumCount < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(minimumCount), minimumCount, "SequenceTokenizer.LearnBytePairs: expected minimumCount of at least 1; 2 leaves out what occurs once.");
        }
        var words = CountWords(texts, lowercase ? TextNormalizer.Lowercase : TextNormalizer.None);
        var (tokens, merges) = BytePairLearner.Learn(words, vocabSize, minimumCount);
        return BytePairTokenizer.Parse(Data.TokenizerFile.Write(tokens, merges, lowercase));
    }

    private static IReadOnlyDictionary<string, long> CountWords(IEnumerable<string> texts, TextNormalizer normalizer)
    {
        var words = new ByteLevelWordCounts(normalizer);
        var count = 0L;
        foreach (var text in texts)
        {
            words.Add(text ?? throw new ArgumentException(
                $"SequenceTokenizer.LearnBytePairs: the text at index {count} is null; expected texts. Leave out rows without one.", nameof(texts)));
            count++;
        }
        return words.Counts.Count > 0
            ? words.Counts
            : throw new ArgumentException(
                $"SequenceTokenizer.LearnBytePairs: nothing can be learnt from {(count == 0 ? "no texts" : $"{count} empty texts")}; "
                + "expected texts such as those that the model is trained on. See whether the sequence was read already, or the right column.",
                nameof(texts));
    }
}
