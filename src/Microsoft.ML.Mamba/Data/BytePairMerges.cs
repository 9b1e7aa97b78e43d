using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>
/// Byte pair encoding of one word in time n log n: of all neighbours that may merge, the pair of the lowest rank does, the
/// leftmost first, until none may.
/// </summary>
/// <remarks>
/// BpeTokenizer of Microsoft.ML.Tokenizers does the same and remembers short words, but takes merged symbols out of its array
/// one by one: a word of a million characters (a chromosome, a text without spaces) would take hours. It keeps the short
/// words, this has the long ones, and a test compares the two.
/// </remarks>
internal sealed class BytePairMerges
{
    private const int None = -1;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges;
    private readonly int[] _idOfByte = new int[256];
    private readonly int _unknownId;
    private readonly bool _fuseUnknown;

    internal BytePairMerges(TokenizerFile file)
    {
        _merges = new(file.Merges.Count);
        for (var rank = 0; rank < file.Merges.Count; rank++)
        {
            var (left, right) = file.Merges[rank];
            _merges.Add((file.Vocabulary[left], file.Vocabulary[right]), (rank, file.Vocabulary[left + right]));
        }
        for (var value = 0; value < _idOfByte.Length; value++)
        {
            _idOfByte[value] = file.Vocabulary.TryGetValue(ByteLevelAlphabet.ToChar((byte)value).ToString(), out var id) ? id : None;
        }
        _unknownId = file.UnknownToken is { } unknown ? file.Vocabulary[unknown] : None;
        _fuseUnknown = file.FuseUnknown;
    }

    /// <summary>Appends the ids of a word.</summary>
    internal void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        var symbols = Symbols(word);
        var queue = new PriorityQueue<int, ulong>(Pairs(symbols));
        while (queue.TryDequeue(out var id, out var order))
        {
            Merge(symbols, (int)(uint)order, id, queue);
        }
        for (var i = 0; i < symbols.Count && i != None; i = symbols.Next[i])
        {
            ids.Add(symbols.Ids[i]);
        }
    }

    private Chain Symbols(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        var ids = new int[bytes.Length];
        var count = 0;
        var afterUnknown = false;
        foreach (var value in bytes)
        {
            var id = _idOfByte[value];
            var unknown = id == None;
            // A byte without a token becomes the unknown token (a row of them one, if fused) or, without such a token, nothing.
            if (!unknown || (_unknownId != None && !(_fuseUnknown && afterUnknown)))
            {
                ids[count++] = unknown ? _unknownId : id;
            }
            afterUnknown = unknown;
        }
        return new Chain(ids, count);
    }

    private void Merge(Chain symbols, int left, int id, PriorityQueue<int, ulong> queue)
    {
        var right = symbols.Next[left];
        // The pair may be gone since it was queued.
        if (symbols.Ids[left] == None || right == None
            || !_merges.TryGetValue((symbols.Ids[left], symbols.Ids[right]), out var merge) || merge.Id != id)
        {
            return;
        }
        symbols.Join(left, right, id);
        if (symbols.Previous[left] != None)
        {
            Offer(symbols, symbols.Previous[left], queue);
        }
        Offer(symbols, left, queue);
    }

    private IEnumerable<(int Id, ulong Order)> Pairs(Chain symbols)
    {
        for (var left = 0; left + 1 < symbols.Count; left++)
        {
            if (_merges.TryGetValue((symbols.Ids[left], symbols.Ids[left + 1]), out var merge))
            {
                yield return (merge.Id, Order(merge.Rank, left));
            }
        }
    }

    private void Offer(Chain symbols, int left, PriorityQueue<int, ulong> queue)
    {
        var right = symbols.Next[left];
        if (right != None && _merges.TryGetValue((symbols.Ids[left], symbols.Ids[right]), out var merge))
        {
            queue.Enqueue(merge.Id, Order(merge.Rank, left));
        }
    }

    private static ulong Order(int rank, int left) => ((ulong)rank << 32) | (uint)left;

    /// <summary>Symbols of a word, doubly linked, so that joining two leaves the others where they are.</summary>
    private sealed class Chain
    {
        internal Chain(int[] ids, int count)
        {
            (Ids, Count) = (ids, count);
            Next = new int[count];
            Previous = new int[count];
            for (var i = 0; i < count; i++)
            {
                Next[i] = i + 1 < count ? i + 1 : None;
                Previous[i] = i - 1;
            }
        }

        internal int[] Ids { get; }

        internal int Count { get; }

        internal int[] Next { get; }

        internal int[] Previous { get; }

        internal void Join(int left, int right, int id)
        {
            Ids[left] = id;
            Ids[right] = None;
            Next[left] = Next[right];
            if (Next[left] != None)
            {
                Previous[Next[left]] = left;
            }
        }
    }
}
