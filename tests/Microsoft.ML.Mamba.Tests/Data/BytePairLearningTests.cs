using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>Vocabularies learnt from texts.</summary>
public sealed class BytePairLearningTests
{
    // The example of Sennrich et al. 2016, each word a text of its own.
    private static readonly string[] Words =
        [.. Enumerable.Repeat("low", 5), .. Enumerable.Repeat("lower", 2), .. Enumerable.Repeat("newest", 6), .. Enumerable.Repeat("widest", 3)];

    [Fact]
    public void The_most_frequent_pair_merges_first_and_of_equals_that_of_lower_ids()
    {
        // 9 times: es, est. 7 times: lo before ow, then low. 6 times: ew before ne and w+est, and so on. 3 times: d+est before wi and id.
        var learnt = SequenceTokenizer.LearnBytePairs(Words, vocabSize: 256 + 8);

        Assert.Equal(["e s", "es t", "l o", "lo w", "e w", "n ew", "new est", "d est"], Merges(learnt));
        Assert.Equal(["low", "e", "r", "Ġ", "s", "low", "est"], TinyTokenizer.Tokens(learnt, "lower slowest"));
    }

    [Fact]
    public void Merges_are_those_of_a_plain_count_after_each_merge()
    {
        var random = new Random(7);
        for (var run = 0; run < 60; run++)
        {
            var texts = Enumerable.Range(0, random.Next(1, 30)).Select(_ => RandomWords(random)).ToArray();
            var minimumCount = random.Next(1, 4);
            var vocabSize = 257 + random.Next(120);

            var learnt = SequenceTokenizer.LearnBytePairs(texts, vocabSize, minimumCount: minimumCount);

            Assert.Equal(PlainMerges(texts, vocabSize, minimumCount), Merges(learnt));
        }
    }

    [Fact]
    public void The_same_texts_give_the_same_tokenizer_in_any_order()
    {
        var random = new Random(2);
        var texts = Enumerable.Range(0, 200).Select(_ => RandomWords(random)).ToArray();
        var one = SequenceTokenizer.LearnBytePairs(texts, 400);
        random.Shuffle(texts);

        Assert.True(one.HasIdsOf(SequenceTokenizer.LearnBytePairs(texts, 400)));
        Assert.Equal(400, one.VocabSize);
    }

    [Fact]
    public void Any_text_comes_back_from_its_ids_also_of_letters_never_seen()
    {
        var tokenizer = SequenceTokenizer.LearnBytePairs(["low lower", "\u6771\u4eac\u6771\u4eac", "'s 's   \n\n"], 300);
        var random = new Random(4);
        for (var i = 0; i < 1000; i++)
        {
            var text = RandomText(random);
            var ids = tokenizer.Encode(text);
            Assert.Equal(text, tokenizer.Decode(ids));
            Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabSize - 1));
        }
    }

    [Fact]
    public void The_vocabulary_stops_at_its_size_or_when_no_pair_is_frequent_enough()
    {
        Assert.Equal(257, SequenceTokenizer.LearnBytePairs(Words, 257).VocabSize);
        Assert.Equal(256, SequenceTokenizer.LearnBytePairs(["abc"]).VocabSize);
        Assert.Equal(["a b", "ab c"], Merges(SequenceTokenizer.LearnBytePairs(["abc"], minimumCount: 1)));
        Assert.Equal(["e s", "es t"], Merges(SequenceTokenizer.LearnBytePairs(Words, minimumCount: 8)));
    }

    [Fact]
    public void Two_pairs_that_make_one_token_share_its_id()
    {
        // ab and bc are frequent by themselves; abc is then made of ab+c, and in xbcabc... of a+bc.
        string[] texts = [.. Enumerable.Repeat("bc", 50), .. Enumerable.Repeat("ab", 60), .. Enumerable.Repeat("abc", 20), .. Enumerable.Repeat("aabc", 5)];

        var tokenizer = SequenceTokenizer.LearnBytePairs(texts, 300);

        Assert.Equal(tokenizer.VocabSize, TokenizerFile.Parse(Utf8(tokenizer)).Vocabulary.Count);
        Assert.All(texts, text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))));
    }

    [Fact]
    public void No_token_is_longer_than_64_bytes_whatever_is_repeated()
    {
        var random = new Random(8);
        var text = string.Concat(Enumerable.Range(0, 2000).Select(_ => (char)('a' + random.Next(26))));

        var tokenizer = SequenceTokenizer.LearnBytePairs([text, text, new string('-', 100_000)], 3000);

        Assert.Equal(64, TokenizerFile.Parse(Utf8(tokenizer)).Vocabulary.Keys.Max(token => token.Length));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void In_lower_case_capitals_make_no_difference()
    {
        var tokenizer = SequenceTokenizer.LearnBytePairs(["Low LOW", "l\u00c9 \u00c9"], 300, lowercase: true);

        Assert.Contains("l o", Merges(tokenizer));
        Assert.Equal(tokenizer.Encode("low \u00e9"), tokenizer.Encode("LOW \u00c9"));
        Assert.Equal("low \u00e9", tokenizer.Decode(tokenizer.Encode("LOW \u00c9")));
    }

    [Fact]
    public void What_is_wrong_is_said_with_its_cure()
    {
        var none = Assert.Throws<ArgumentException>(() => SequenceTokenizer.LearnBytePairs([]));
        Assert.StartsWith("SequenceTokenizer.LearnBytePairs: nothing can be learnt from no texts; expected texts such as", none.Message, StringComparison.Ordinal);
        Assert.Contains("from 2 empty texts", Assert.Throws<ArgumentException>(() => SequenceTokenizer.LearnBytePairs(["", ""])).Message, StringComparison.Ordinal);
        var missing = Assert.Throws<ArgumentException>(() => SequenceTokenizer.LearnBytePairs(["a", null!]));
        Assert.Contains("the text at index 1 is null; expected texts. Leave out rows without one.", missing.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => SequenceTokenizer.LearnBytePairs(null!));
        foreach (var size in new[] { int.MinValue, 0, 256, 200_001, int.MaxValue })
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(() => SequenceTokenizer.LearnBytePairs(["a"], size));
            Assert.Contains("expected vocabSize from 257 (the bytes and one learnt token) to 200000", error.Message, StringComparison.Ordinal);
        }
        Assert.Contains("minimumCount of at least 1", Assert.Throws<ArgumentOutOfRangeException>(() => SequenceTokenizer.LearnBytePairs(["a"], minimumCount: 0)).Message, StringComparison.Ordinal);
    }

    private static string[] Merges(SequenceTokenizer tokenizer) =>
        [.. JsonNode.Parse(tokenizer.ToJson())!["model"]!["merges"]!.AsArray().Select(merge => merge!.GetValue<string>())];

    private static byte[] Utf8(SequenceTokenizer tokenizer) => System.Text.Encoding.UTF8.GetBytes(tokenizer.ToJson());

    private static string RandomWords(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => "aaaabbbc\u00e9 "[random.Next(10)]));

    private static string RandomText(Random random) => string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(4) switch
    {
        0 => " \r\n\t'slow\0"[random.Next(10)].ToString(),
        1 => ((char)random.Next(0, 0xD800)).ToString(),
        2 => char.ConvertFromUtf32(random.Next(0x10000, 0x110000)),
        _ => "low",
    }));

    /// <summary>The algorithm as it is written down: count all pairs of all words, merge the best everywhere, and count again.</summary>
    private static List<string> PlainMerges(string[] texts, int vocabSize, int minimumCount)
    {
        var ids = Enumerable.Range(0, 256).Select(value => ByteLevelAlphabet.ToChar((byte)value)).Order().Select((c, id) => (c, id)).ToDictionary(p => p.c.ToString(), p => p.id);
        var tokens = ids.OrderBy(p => p.Value).Select(p => p.Key).ToList();
        var words = new List<List<int>>();
        foreach (var text in texts)
        {
            foreach (var word in new ByteLevelWords(text))
                words.Add([.. System.Text.Encoding.UTF8.GetBytes(word.ToString()).Select(value => ids[ByteLevelAlphabet.ToChar(value).ToString()])]);
        }
        var merges = new List<string>();
        while (tokens.Count < vocabSize)
        {
            var best = words.SelectMany(word => word.Zip(word.Skip(1))).GroupBy(pair => pair)
                .OrderByDescending(group => group.Count()).ThenBy(group => group.Key.First).ThenBy(group => group.Key.Second).FirstOrDefault();
            if (best is null || best.Count() < minimumCount)
                break;
            var (left, right) = best.Key;
            var token = tokens[left] + tokens[right];
            if (!ids.TryGetValue(token, out var id))
            {
                ids[token] = id = tokens.Count;
                tokens.Add(token);
            }
            var merge = $"{tokens[left]} {tokens[right]}";
            if (!merges.Contains(merge))
                merges.Add(merge);
            foreach (var word in words)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] == left && word[i + 1] == right)
                    {
                        word[i] = id;
                        word.RemoveAt(i + 1);
                    }
                }
            }
        }
        return merges;
    }
}
