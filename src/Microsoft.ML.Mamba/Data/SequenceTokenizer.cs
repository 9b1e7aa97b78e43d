using System.Text;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Turns text into token ids. Some tokenizers are built in, others are learnt from texts or come from a file or from
/// Microsoft.ML.Tokenizers; one instance serves any number of threads and models. No id is reserved for padding: a model goes
/// by the length of a sequence, never by a pad id.
/// </summary>
public abstract partial class SequenceTokenizer
{

    private protected SequenceTokenizer()
    {
    }

    /// <summary>
    /// Nucleotides, one id per letter: A = 0, C = 1, G = 2, T = 3, N = 4, in upper or lower case. U reads as T, the IUPAC
    /// ambiguity codes R Y S W K M B D H V read as N; any other character is a <see cref="SequenceTokenizationException"/>.
    /// </summary>
    public static SequenceTokenizer Dna { get; } = new DnaTokenizer(DnaUnknownPolicy.Throw);

    /// <summary>
    /// Nucleotides with the ids of Caduceus: A = 7, C = 8, G = 9, T = 10, N = 11, in upper or lower case. U reads as T, the IUPAC
    /// ambiguity codes as N, anything else as the id 6 of unknown tokens. No special token is added: neither end of a sequence is
    /// marked, so that its reverse complement has the complements of its ids, read backwards.
    /// </summary>
    public static SequenceTokenizer Caduceus { get; } = DnaTokenizer.OfCaduceus();

    /// <summary>The UTF-8 bytes of the text, ids 0 to 255. Unpaired surrogates become U+FFFD, the replacement character.</summary>
    public static SequenceTokenizer Bytes { get; } = new ByteTokenizer();

    /// <summary>A short name: <c>dna</c>, <c>caduceus</c>, <c>bytes</c>, <c>bpe</c> for one of a file or learnt, or the type of the tokenizer that <see cref="From"/> was given.</summary>
    public abstract string Name { get; }

    /// <summary>The number of ids; every id lies in [0, VocabSize).</summary>
    public abstract int VocabSize { get; }

    /// <summary>Whether ids have complements, that is, whether a sequence can be read from the other strand.</summary>
    internal virtual bool HasComplement => false;

    /// <summary>So many ids from <see cref="FirstMutationLetter"/> on are the letters that a random mutation may put in; 0 where mutation has no meaning.</summary>
    internal virtual int MutationLetters => 0;

    /// <summary>The first of these ids.</summary>
    internal virtual int FirstMutationLetter => 0;

    /// <summary><see cref="Dna"/> with a choice of what happens to characters that are no nucleotides.</summary>
    /// <param name="unknown">Throw, or read as N.</param>
    /// <returns>The tokenizer.</returns>
    public static SequenceTokenizer DnaWith(DnaUnknownPolicy unknown) => unknown switch
    {
        DnaUnknownPolicy.Throw => Dna,
        DnaUnknownPolicy.N => new DnaTokenizer(DnaUnknownPolicy.N),
        _ => throw new ArgumentOutOfRangeException(nameof(unknown), unknown, "SequenceTokenizer.DnaWith: expected Throw or N."),
    };

    /// <summary>
    /// The tokenizer of a Hugging Face <c>tokenizer.json</c>: byte-level BPE as in GPT-2, GPT-NeoX, Llama 3 and Qwen 2, with its
    /// normalizer and its added and special tokens. Ids and text equal those of the tokenizers library. A model that is trained with it
    /// holds the file's text.
    /// </summary>
    /// <param name="path">The file, at most 64 MB; nothing in it is trusted.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="FormatException">The file is damaged or of another kind; the message says what was found where, and what is supported.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="PlatformNotSupportedException">The file asks for Unicode normalization, and .NET runs in its globalization-invariant mode.</exception>
    public static SequenceTokenizer FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = File.OpenRead(path);
        return FromFile(stream, path);
    }

    /// <summary>As <see cref="FromFile(string)"/>, from a stream that is read to its end and left open.</summary>
    /// <param name="stream">The text of a <c>tokenizer.json</c>, at most 64 MB.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="FormatException">The text is damaged or of another kind.</exception>
    /// <exception cref="PlatformNotSupportedException">The file asks for Unicode normalization, and .NET runs in its globalization-invariant mode.</exception>
    public static SequenceTokenizer FromStream(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return FromFile(stream, "tokenizer.json");
    }

    /// <summary>
    /// Any tokenizer of Microsoft.ML.Tokenizers, to train and score with in this process. Such a tokenizer cannot be written,
    /// so saving a model with it is a <see cref="NotSupportedException"/>, and Fit warns of that.
    /// </summary>
    /// <param name="tokenizer">The tokenizer, safe for several threads, as those of the package are.</param>
    /// <param name="vocabSize">One more than the largest id that it gives; a text with a larger one is an <see cref="InvalidOperationException"/>.</param>
    /// <returns>The tokenizer.</returns>
    public static SequenceTokenizer From(Tokenizer tokenizer, int vocabSize)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabSize, 1);
        return new PackageTokenizer(tokenizer, vocabSize);
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">The text; empty gives no ids.</param>
    /// <returns>One id per token, in order.</returns>
    /// <exception cref="SequenceTokenizationException">A character has no id.</exception>
    public int[] Encode(ReadOnlySpan<char> text)
    {
        var ids = new List<int>(text.Length);
        Encode(text, ids);
        return [.. ids];
    }

    /// <summary>The text of ids: what <see cref="Encode(ReadOnlySpan{char})"/> was given, or its normal form where the tokenizer normalizes.</summary>
    /// <param name="ids">The ids; those that no token has, such as the spare rows of a model's embedding, give no text.</param>
    /// <returns>The text; bytes that are no UTF-8, such as half a character, become U+FFFD.</returns>
    public abstract string Decode(ReadOnlySpan<int> ids);

    /// <summary>Whether an id means the same to another tokenizer, so that an encoder learnt with one can read what the other gives.</summary>
    internal virtual bool HasIdsOf(SequenceTokenizer other) => Name == other.Name;

    /// <summary>Appends the ids of a text; on an error the list is as it was before.</summary>
    internal abstract void Encode(ReadOnlySpan<char> text, List<int> ids);

    /// <summary>Whether each letter has tokens of its own, whatever follows it.</summary>
    internal virtual bool ReadsLetterByLetter => false;

    /// <summary>How many tokens a letter has, where each has its own.</summary>
    internal virtual int TokensOf(Rune letter) => 1;

    /// <summary>Whether the space before a word is part of the word's first token, as in byte-level BPE.</summary>
    private protected virtual bool SpaceLeadsWord => false;

    /// <summary>
    /// Appends the ids of a text whose words are encoded one by one, with what stands between them, so that it is known where each
    /// begins: the first token of a word is the first that holds a character of it, and no token holds two words.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="words">Start and length of each word, in order, apart from each other.</param>
    /// <param name="ids">Where the ids go.</param>
    /// <param name="firsts">Where the place in <paramref name="ids"/> of each word's first token goes.</param>
    /// <exception cref="FormatException">A word has no token.</exception>
    internal void EncodeWords(ReadOnlySpan<char> text, List<(int Start, int Length)> words, List<int> ids, List<int> firsts)
    {
        var (prefix, suffix) = Frame;
        ids.AddRange(prefix);
        var at = 0;
        foreach (var (start, length) in words)
        {
            var from = SpaceLeadsWord && start > at && text[start - 1] == ' ' ? start - 1 : start;
            EncodePart(text[at..from], ids);
            firsts.Add(ids.Count);
            EncodePart(text[from..(start + length)], ids);
            if (firsts[^1] == ids.Count)
            {
                throw new FormatException($"The tokenizer '{Name}' has no token for the word at character {start}; each word needs one that its label can sit on.");
            }
            at = start + length;
        }
        EncodePart(text[at..], ids);
        ids.AddRange(suffix);
    }

    /// <summary>Ids that stand before and after every text.</summary>
    private protected virtual (IEnumerable<int> Prefix, IEnumerable<int> Suffix) Frame => ([], []);

    /// <summary>Appends the ids of a part of a text.</summary>
    private protected virtual void EncodePart(ReadOnlySpan<char> part, List<int> ids)
    {
        if (part.Length > 0)
        {
            Encode(part, ids);
        }
    }

    /// <summary>The id of the complementary letter.</summary>
    internal virtual int Complement(int id) => throw new NotSupportedException($"SequenceTokenizer '{Name}': ids have no complements.");
}
