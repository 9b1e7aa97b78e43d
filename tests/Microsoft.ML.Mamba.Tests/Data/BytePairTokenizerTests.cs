using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Tests.Repository;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class BytePairTokenizerTests
{
    private const int FirstAdded = 273;

    [SkippableFact]
    public void Ids_and_text_equal_those_of_Hugging_Face()
    {
        var folder = SharedFolder.Path("golden", "hf", "tokenizer");
        var tokenizer = SequenceTokenizer.FromFile(Path.Combine(folder, "tokenizer.json"));
        using var encodings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "encodings.json")));

        foreach (var encoding in encodings.RootElement.EnumerateArray())
        {
            var text = encoding.GetProperty("text").GetString()!;
            var ids = encoding.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
            Assert.True(ids.SequenceEqual(tokenizer.Encode(text)), $"'{text}': {string.Join(' ', tokenizer.Encode(text))}; expected {string.Join(' ', ids)}");
            Assert.Equal(encoding.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }
    }

    /// <summary>HuggingFaceEncodings.json: random texts under random options of added tokens, encoded by the library that it names.</summary>
    [Fact]
    public void Added_tokens_of_every_kind_give_the_ids_and_text_of_Hugging_Face()
    {
        var variants = JsonNode.Parse(RepositoryFiles.Read("tests/Microsoft.ML.Mamba.Tests/Data/HuggingFaceEncodings.json"))!["variants"]!.AsArray();
        foreach (var variant in variants)
        {
            var tree = TinyTokenizer.Tree();
            foreach (var part in new[] { "added_tokens", "normalizer", "pre_tokenizer" })
                tree[part] = variant![part]?.DeepClone();
            var tokenizer = TinyTokenizer.Create(tree);
            foreach (var encoded in variant!["cases"]!.AsArray())
            {
                var text = encoded!["text"]!.GetValue<string>();
                var ids = encoded["ids"]!.AsArray().Select(id => id!.GetValue<int>()).ToArray();
                Assert.True(ids.SequenceEqual(tokenizer.Encode(text)), $"{encoded["text"]!.ToJsonString()}: {string.Join(' ', tokenizer.Encode(text))}; expected {string.Join(' ', ids)}");
                Assert.Equal(encoded["decoded"]!.GetValue<string>(), tokenizer.Decode(ids));
            }
        }
    }

    [Theory]
    [InlineData("the and", "the", "Ġ", "and")]
    [InlineData("then in the", "the", "n", "Ġ", "in", "Ġthe")]
    [InlineData("aaaaaaa", "aaaa", "aa", "a")]
    [InlineData("   a", "ĠĠ", "Ġ", "a")]
    [InlineData("e\u0301", "Ã©")]
    [InlineData("")]
    public void The_best_merge_comes_first_and_of_equals_the_leftmost(string text, params string[] tokens)
    {
        Assert.Equal(tokens, TinyTokenizer.Tokens(TinyTokenizer.With(), text));
    }

    [Fact]
    public void The_longest_added_token_wins()
    {
        var tokenizer = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<s"), TinyTokenizer.Added(FirstAdded + 1, "<s>"), TinyTokenizer.Added(FirstAdded + 2, "s>>"));

        Assert.Equal(["a", "<s>", ">", "<s", "<s>"], TinyTokenizer.Tokens(tokenizer, "a<s>><s<s>"));
    }

    [Fact]
    public void Added_tokens_take_the_spaces_beside_them_if_they_say_so()
    {
        var left = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<m>", leftStrip: true));
        var right = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<m>", rightStrip: true));

        Assert.Equal(["a", "<m>", "<m>", "Ġ", "a"], TinyTokenizer.Tokens(left, "a \n<m>  <m> a"));
        Assert.Equal(["Ġ", "<m>", "<m>", "a"], TinyTokenizer.Tokens(right, " <m> \n<m>\ta"));
    }

    [Fact]
    public void A_token_of_whole_words_is_not_found_inside_one()
    {
        var tokenizer = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "gene", singleWord: true));

        Assert.Equal([FirstAdded, '-', FirstAdded], tokenizer.Encode("gene-gene"));
        Assert.DoesNotContain(FirstAdded, tokenizer.Encode("genes agene 1gene gene_ \u00e9gene \u24b6gene"));
    }

    [Fact]
    public void A_normalized_token_is_found_in_either_form_and_a_raw_one_as_it_is()
    {
        var normalized = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "caf\u00e9", normalized: true));
        var raw = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "caf\u00e9"));

        Assert.Equal([FirstAdded, FirstAdded], normalized.Encode("caf\u00e9cafe\u0301"));
        Assert.Equal([FirstAdded], raw.Encode("caf\u00e9"));
        Assert.DoesNotContain(FirstAdded, raw.Encode("cafe\u0301"));
    }

    [Fact]
    public void A_prefix_space_stands_before_each_piece_that_has_none()
    {
        var tree = TinyTokenizer.Tree(TinyTokenizer.Added(FirstAdded, "<s>"));
        tree["pre_tokenizer"]!["add_prefix_space"] = true;

        Assert.Equal(["Ġthe", "<s>", "Ġthe", "<s>", "Ġthe"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "the<s> the<s>the"));
    }

    [Fact]
    public void Without_the_pattern_tokens_may_cross_words()
    {
        var tree = TinyTokenizer.Tree();
        tree["model"]!["vocab"]!.AsObject().Add("theĠ", FirstAdded);
        tree["model"]!["merges"]!.AsArray().Add("the Ġ");
        Assert.Equal(["the", "Ġ", "a"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "the a"));

        tree["pre_tokenizer"]!["use_regex"] = false;
        Assert.Equal(["theĠ", "a"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "the a"));
    }

    [Fact]
    public void A_template_puts_its_tokens_around_every_text()
    {
        var tree = TinyTokenizer.Tree(TinyTokenizer.Added(FirstAdded, "<s>"), TinyTokenizer.Added(FirstAdded + 1, "</s>"));
        tree["post_processor"] = JsonNode.Parse("""
            {
              "type": "TemplateProcessing",
              "single": [{"SpecialToken":{"id":"<s>","type_id":0}}, {"Sequence":{"id":"A","type_id":0}}, {"SpecialToken":{"id":"</s>","type_id":0}}],
              "pair": [],
              "special_tokens": { "<s>": {"id":"<s>","ids":[273],"tokens":["<s>"]}, "</s>": {"id":"</s>","ids":[274],"tokens":["</s>"]} }
            }
            """);

        Assert.Equal(["<s>", "the", "</s>"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "the"));
        Assert.Equal(["<s>", "</s>"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), ""));
    }

    [Theory]
    [InlineData(ByteLevelWords.ThreeDigitsPattern, "Ġ", "123", "4")]
    [InlineData(ByteLevelWords.OneDigitPattern, "Ġ", "1", "2", "3", "4")]
    public void Files_of_Llama_3_and_Qwen_2_are_cut_by_their_expressions(string expression, params string[] tokens)
    {
        var tree = TinyTokenizer.Tree(TinyTokenizer.Added(FirstAdded + 2, "<s>"));
        tree["model"]!["vocab"]!.AsObject().Add("12", FirstAdded);
        tree["model"]!["vocab"]!.AsObject().Add("123", FirstAdded + 1);
        tree["model"]!["merges"]!.AsArray().Add("1 2");
        tree["model"]!["merges"]!.AsArray().Add("12 3");
        tree["pre_tokenizer"] = JsonNode.Parse(TokenizerFileTests.SplitBy(expression));
        tree["post_processor"] = JsonNode.Parse("""
            {"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},
              {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
               "special_tokens":{"<s>":{"id":"<s>","ids":[275],"tokens":["<s>"]}}}]}
            """);

        Assert.Equal(["<s>", .. tokens], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), " 1234"));
    }

    [Fact]
    public void With_ignore_merges_a_word_that_is_a_token_is_that_token()
    {
        var tree = TinyTokenizer.Tree();
        tree["model"]!["vocab"]!.AsObject().Add("Ġth\u00c3\u00a9", FirstAdded); // " thé", which no merge makes
        Assert.Equal(["Ġ", "th", "\u00c3\u00a9"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), " th\u00e9"));

        tree["model"]!["ignore_merges"] = true;
        var tokenizer = TinyTokenizer.Create(tree);

        Assert.Equal(["Ġth\u00c3\u00a9"], TinyTokenizer.Tokens(tokenizer, " th\u00e9"));
        Assert.Equal(["Ġ", "th", "\u00c3\u00a9", "x"], TinyTokenizer.Tokens(tokenizer, " th\u00e9x"));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public void Bytes_without_a_token_are_the_unknown_token(bool fuse, int expected)
    {
        var tree = TinyTokenizer.Tree();
        var vocab = tree["model"]!["vocab"]!.AsObject();
        vocab.Remove("q");
        vocab.Add("<unk>", FirstAdded);
        Assert.Equal(["x", "Ġ"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "xqq "));

        tree["model"]!["unk_token"] = "<unk>";
        tree["model"]!["fuse_unk"] = fuse;
        var tokenizer = TinyTokenizer.Create(tree);

        Assert.Equal(["x", .. Enumerable.Repeat("<unk>", expected), "Ġ"], TinyTokenizer.Tokens(tokenizer, "xqq "));
        var longWord = new string('q', BytePairTokenizer.MostRememberedLength + 1);
        Assert.Equal(fuse ? 1 : longWord.Length, tokenizer.Encode(longWord).Length);
    }

    [Fact]
    public void Long_words_are_merged_as_the_package_merges_short_ones()
    {
        var tokenizer = TinyTokenizer.With();
        var merges = new BytePairMerges(TokenizerFile.Parse(TinyTokenizer.Bytes(TinyTokenizer.Tree())));
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var word = new string([.. Enumerable.Range(0, random.Next(1, BytePairTokenizer.MostRememberedLength + 1)).Select(_ => "aandthexixACGT\u00e9"[random.Next(15)])]);
            var ids = new List<int>();
            merges.Encode(word, ids);
            Assert.Equal(tokenizer.Encode(word), ids);
        }
    }

    [Fact]
    public void Text_comes_back_from_its_ids()
    {
        var tree = TinyTokenizer.Tree(TinyTokenizer.Added(FirstAdded, "<s>"));
        tree["normalizer"] = null;
        var tokenizer = TinyTokenizer.Create(tree);
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(4) switch
            {
                0 => " the<s>and\n"[random.Next(11)].ToString(),
                1 => ((char)random.Next(1, 0xD800)).ToString(),
                2 => char.ConvertFromUtf32(random.Next(0x10000, 0x110000)),
                _ => "the",
            }));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void What_has_no_bytes_or_no_token_is_replaced_or_left_out()
    {
        var tokenizer = TinyTokenizer.With();

        Assert.Equal(tokenizer.Encode("a\ufffdb"), tokenizer.Encode("a\ud800b"));
        Assert.Equal("\ufffd", tokenizer.Decode([0xE4]));
        Assert.Equal("ab", tokenizer.Decode(['a', 100_000, -1, 'b']));
    }

    [Theory]
    [InlineData("a word and the next, in order. ")]
    [InlineData("x")]
    [InlineData(" ")]
    [InlineData("ACGTTGCA")]
    [InlineData("\u6771\u4eac")]
    [InlineData("<m> ")]
    public void A_million_characters_come_back_as_they_were(string part)
    {
        var tokenizer = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<m>", leftStrip: true, rightStrip: true), TinyTokenizer.Added(FirstAdded + 1, new string(' ', 3), normalized: true, leftStrip: true, rightStrip: true));
        var text = string.Concat(Enumerable.Repeat(part, 1_000_000 / part.Length));

        // A second or so; quadratic time would be hours, which no test run survives.
        var ids = tokenizer.Encode(text);

        // Added tokens that strip take spaces with them.
        Assert.Equal(text.Replace(" ", ""), tokenizer.Decode(ids).Replace(" ", ""));
    }

    [Fact]
    public void One_instance_serves_many_threads()
    {
        var tokenizer = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<s>"));
        var random = new Random(9);
        var texts = Enumerable.Range(0, 2000).Select(i => $"the<s> {random.Next()} and e\u0301 {new string('x', i % 300)}").ToArray();
        var alone = TinyTokenizer.With(TinyTokenizer.Added(FirstAdded, "<s>"));
        var ids = new int[texts.Length][];

        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => ids[i] = tokenizer.Encode(texts[i]));

        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(alone.Encode(texts[i]), ids[i]);
    }
}
