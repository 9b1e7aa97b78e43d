using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Learns the merges of byte pair encoding (Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with
/// Subword Units"): of all neighbouring tokens within words, the most frequent pair becomes a token, again and again. Of equally
/// frequent pairs the one of lower ids does, so that the same words always give the same tokens, those of the tokenizers library.
/// </summary>
/// <remarks>
/// All distinct words stand in one row of bytes. A merge visits only the places of its pair and updates the counts of their
/// neighbours, so that time grows with the bytes of the distinct words (each byte is merged away at most once), however long a word is.
/// </remarks>
internal sealed class BytePairLearner
{
    /// <summary>The longest token. A text that occurs twice would otherwise become one token, and its parts too.</summary>
    internal const int MaxTokenBytes = 64;

    private const int None = -1;

    private readonly int[] _idAt;     // at the first byte of a token its id, elsewhere None
    private readonly int[] _startOf;  // at the last byte of a token the place of its first
    private readonly int[] _wordAt;   // at each byte the number of its word
    private readonly long[] _countOfWord;
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<Pair, Candidate> _queue = new();
    private readonly List<string> _tokens;
    private readonly Dictionary<string, int> _idOfToken = [];
    private readonly List<(int Left, int Right)> _merges = [];

    private BytePairLearner(IReadOnlyDictionary<string, long> words)
    {
        // In the order of their characters, as the tokenizers library has them.
        _tokens = [.. Enumerable.Range(0, 256).Select(value => ByteLevelAlphabet.ToChar((byte)value)).Order().Select(c => c.ToString())];
        for (var id = 0; id < _tokens.Count; id++)
        {
            _idOfToken.Add(_tokens[id], id);
        }
        var length = words.Keys.Sum(word => (long)Encoding.UTF8.GetByteCount(word));
        if (length > Array.MaxLength)
        {
            throw new ArgumentException(
                $"SequenceTokenizer.LearnBytePairs: the distinct words of the texts take {length} bytes; expected at most {Array.MaxLength}. Give a sample of the texts.");
        }
        (_idAt, _startOf, _wordAt, _countOfWord) = (new int[length], new int[length], new int[length], new long[words.Count]);
        PlaceWords(words);
        CountPairs();
    }

    /// <summary>Learns merges.</summary>
    /// <param name="words">Words and how often each occurs.</param>
    /// <param name="vocabSize">The most tokens, the 256 bytes among them.</param>
    /// <param name="minimumCount">How often a pair must occur to become a token.</param>
    /// <returns>The tokens by id, spelled in <see cref="ByteLevelAlphabet"/>, and the pairs of ids that merge, best first.</returns>
    internal static (IReadOnlyList<string> Tokens, IReadOnlyList<(int Left, int Right)> Merges) Learn(
        IReadOnlyDictionary<string, long> words, int vocabSize, int minimumCount)
    {
        var learner = new BytePairLearner(words);
        learner.Learn(vocabSize, minimumCount);
        return (learner._tokens, learner._merges);
    }

    private void PlaceWords(IReadOnlyDictionary<string, long> words)
    {
        var idOfByte = Enumerable.Range(0, 256).Select(value => _idOfToken[ByteLevelAlphabet.ToChar((byte)value).ToString()]).ToArray();
        var bytes = Array.Empty<byte>();
        int at = 0, number = 0;
        foreach (var (word, count) in words)
        {
            if (bytes.Length < Encoding.UTF8.GetMaxByteCount(word.Length))
            {
                bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
            }
            foreach (var value in bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes)))
            {
                (_idAt[at], _startOf[at], _wordAt[at]) = (idOfByte[value], at, number);
                at++;
            }
            _countOfWord[number++] = count;
        }
    }

    private void CountPairs()
    {
        for (var at = 0; at + 1 < _idAt.Length; at++)
        {
            if (_wordAt[at] == _wordAt[at + 1])
            {
                Add(_idAt[at], _idAt[at + 1], at);
            }
        }
        foreach (var pair in _pairs.Values)
        {
            Offer(pair);
        }
    }

    private void Learn(int vocabSize, int minimumCount)
    {
        var merged = new HashSet<(int, int)>();
        while (_tokens.Count < vocabSize && _queue.TryDequeue(out var pair, out var candidate))
        {
            // Counts change while a pair waits; it takes its new place.
            if (pair.Count != candidate.Count)
            {
                Offer(pair);
                continue;
            }
            if (pair.Count < minimumCount)
            {
                return;
            }
            // A pair comes back when another pair makes its left or right token again; its rank stays.
            if (merged.Add((pair.Left, pair.Right)))
            {
                _merges.Add((pair.Left, pair.Right));
            }
            Merge(pair, IdOf(_tokens[pair.Left] + _tokens[pair.Right]));
        }
    }

    /// <summary>The id of a token, which two pairs may make (a+bc, ab+c).</summary>
    private int IdOf(string token)
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(_idOfToken, token, out var known);
        if (!known)
        {
            id = _tokens.Count;
            _tokens.Add(token);
        }
        return id;
    }

    private void Merge(Pair pair, int id)
    {
        _pairs.Remove((pair.Left, pair.Right));
        var (left, right) = (_tokens[pair.Left].Length, _tokens[pair.Right].Length);
        var changed = new HashSet<Pair>();
        // From left to right: of "aaa" the first two merge.
        pair.Places.Sort();
        foreach (var at in pair.Places)
        {
            var middle = at + left;
            // The place may have changed since it was noted.
            if (_idAt[at] != pair.Left || !IsInWord(middle, at) || _idAt[middle] != pair.Right)
            {
                continue;
            }
            var end = middle + right;
            var before = at > 0 && IsInWord(at - 1, at) ? _startOf[at - 1] : None;
            var hasNext = IsInWord(end, at);
            if (before != None)
            {
                Remove(_idAt[before], pair.Left, at);
            }
            if (hasNext)
            {
                Remove(pair.Right, _idAt[end], at);
            }
            (_idAt[at], _idAt[middle], _startOf[end - 1]) = (id, None, at);
            if (before != None && Add(_idAt[before], id, before) is { } first)
            {
                changed.Add(first);
            }
            if (hasNext && Add(id, _idAt[end], at) is { } second)
            {
                changed.Add(second);
            }
        }
        pair.Count = 0;
        foreach (var other in changed)
        {
            Offer(other);
        }
    }

    private bool IsInWord(int place, int other) => place < _wordAt.Length && _wordAt[place] == _wordAt[other];

    private Pair? Add(int left, int right, int at)
    {
        if (_tokens[left].Length + _tokens[right].Length > MaxTokenBytes)
        {
            return null;
        }
        ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, (left, right), out _);
        pair ??= new Pair(left, right);
        pair.Count += _countOfWord[_wordAt[at]];
        pair.Places.Add(at);
        return pair;
    }

    private void Remove(int left, int right, int at)
    {
        if (!_pairs.TryGetValue((left, right), out var pair))
        {
            return; // too long, or the pair that is being merged
        }
        pair.Count -= _countOfWord[_wordAt[at]];
        if (pair.Count == 0)
        {
            _pairs.Remove((left, right));
        }
    }

    private void Offer(Pair pair)
    {
        if (pair.Count > 0)
        {
            _queue.Enqueue(pair, new Candidate(pair.Count, pair.Left, pair.Right));
        }
    }

    /// <summary>Two tokens that stand side by side, how often, and where; some of the places may have changed since.</summary>
    private sealed class Pair(int left, int right)
    {
        internal int Left => left;

        internal int Right => right;

        internal long Count { get; set; }

        internal List<int> Places { get; } = [];
    }

    /// <summary>The order of pairs: the most frequent first, then by ids.</summary>
    private readonly record struct Candidate(long Count, int Left, int Right) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            var order = other.Count.CompareTo(Count);
            order = order != 0 ? order : Left.CompareTo(other.Left);
            return order != 0 ? order : Right.CompareTo(other.Right);
        }
    }
}
