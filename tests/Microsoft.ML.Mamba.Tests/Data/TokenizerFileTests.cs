using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>A tokenizer.json is not trusted: what is wrong with it is said before anything is built of it.</summary>
public sealed class TokenizerFileTests
{
    /// <summary>Where a file is changed, to what, and what the error says.</summary>
    public static TheoryData<string, string?, string> Refused => new()
    {
        { "model.type", "\"Unigram\"", "model.type is '\"Unigram\"'; expected BPE (supported is byte-level BPE" },
        { "model.byte_fallback", "true", "model.byte_fallback is 'true'; expected none" },
        { "model.ignore_merges", "1", "model.ignore_merges is '1'; expected true or false" },
        { "model.dropout", "0.1", "model.dropout is '0.1'; expected none" },
        { "model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix" },
        { "model.unk_token", "\"<unk>\"", "model.unk_token is '<unk>', which is not in model.vocab" },
        { "model.fuse_unk", "1", "model.fuse_unk is '1'; expected true or false" },
        { "model", null, "model is missing" },
        { "model.vocab", null, "model.vocab is missing" },
        { "model.vocab", "[]", "model.vocab is 'Array'; expected an object" },
        { "model.vocab", "{}", "model.vocab is empty" },
        { "model.vocab.a", "98", "model.vocab gives the id 98 twice" },
        { "model.vocab.a", "-1", "model.vocab is '-1'; expected an id" },
        { "model.vocab.a", "1.5", "expected an id" },
        { "model.vocab.a", "99999999999", "expected an id" },
        { "model.vocab.a", "2147483647", "the largest id is 2147483647, but there are 273 tokens" },
        { "model.vocab.th", null, "model.merges[0] needs the token 'th', which is not in model.vocab" },
        { "model.merges", "\"a b\"", "model.merges is '\"a b\"'; expected an array" },
        { "model.merges", "[\"ab\"]", "model.merges[0] is '\"ab\"'; expected two tokens without spaces" },
        { "model.merges", "[[\"t\",\"h\",\"e\"]]", "model.merges[0]" },
        { "model.merges", "[[\"t h\",\"e\"]]", "model.merges[0]" },
        { "model.merges", "[[\"\",\"e\"]]", "model.merges[0]" },
        { "model.merges", "[\"t h\",[\"t\",\"h\"]]", "model.merges[1] merges 't' and 'h' a second time" },
        { "normalizer.type", "\"BertNormalizer\"", "normalizer.type is '\"BertNormalizer\"'; expected Lowercase, NFC, NFD, NFKC, NFKD, a Sequence of them or no normalizer" },
        { "normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"StripAccents\"}]}", "normalizer.normalizers[1].type is '\"StripAccents\"'; expected Lowercase" },
        { "normalizer", $"{{\"type\":\"Sequence\",\"normalizers\":[{string.Join(',', Enumerable.Repeat("{\"type\":\"NFC\"}", 17))}]}}", "normalizer.normalizers[16].type is '\"NFC\"'; expected at most 16 normalizers" },
        { "normalizer", "{\"type\":\"Sequence\"}", "normalizer.normalizers is missing" },
        { "pre_tokenizer.type", "\"Metaspace\"", "pre_tokenizer.type is '\"Metaspace\"'; expected ByteLevel" },
        { "pre_tokenizer", null, "pre_tokenizer is missing" },
        { "pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},{\"type\":\"ByteLevel\"}]}", "pre_tokenizer.pretokenizers is 'Array'; expected a Split by an expression of Llama 3 or Qwen 2" },
        { "pre_tokenizer", SplitBy("(a+)+b"), "pattern.Regex is '\"(a+)+b\"'; expected the expression of Llama 3 or of Qwen 2, since a file's own expressions are not run" },
        { "pre_tokenizer", SplitBy("a").Replace("\"Regex\"", "\"String\"", StringComparison.Ordinal), "pretokenizers[0].pattern.Regex is missing" },
        { "pre_tokenizer", SplitBy("a").Replace("Isolated", "Removed", StringComparison.Ordinal), "pretokenizers[0].behavior is '\"Removed\"'; expected Isolated" },
        { "pre_tokenizer", SplitBy("a").Replace("\"invert\":false", "\"invert\":true", StringComparison.Ordinal), "pretokenizers[0].invert is 'true'; expected false" },
        { "pre_tokenizer", SplitBy("a").Replace("\"use_regex\":false", "\"use_regex\":true", StringComparison.Ordinal), "expected a ByteLevel with use_regex and add_prefix_space of false" },
        { "post_processor.type", "\"BertProcessing\"", "post_processor.type is '\"BertProcessing\"'" },
        { "post_processor", "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"RobertaProcessing\"}]}", "post_processor.processors[0].type is '\"RobertaProcessing\"'; expected ByteLevel" },
        { "decoder.type", "\"WordPiece\"", "decoder.type" },
        { "post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[],\"special_tokens\":{}}", "post_processor.single has 0 places for the text" },
        { "post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"s\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"s\":{\"ids\":[999]}}}", "has the id 999; the largest id of a token is 272" },
        { "added_tokens", "[{\"id\":1,\"content\":\"<s>\"}]", "added_tokens gives the id 1 to '<s>'" },
        { "added_tokens", "[{\"id\":273,\"content\":\"a\"}]", "added_tokens gives the id 273 to 'a'" },
        { "added_tokens", "[{\"id\":273,\"content\":\"\"}]", "expected a text of 1 to 1000 characters" },
        { "added_tokens", "[{\"id\":273,\"content\":\"<s>\"},{\"id\":274,\"content\":\"<s>\"}]", "added_tokens gives the id 274 to '<s>'" },
        { "added_tokens", "[{\"id\":273,\"content\":\"\\ud800\"}]", "it is no valid JSON" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_wrong_or_not_supported_is_named_with_its_place(string place, string? value, string expected)
    {
        var tree = TinyTokenizer.Tree();
        var names = place.Split('.');
        var parent = names[..^1].Aggregate(tree, (node, name) => node[name]!.AsObject());
        parent.Remove(names[^1]);
        // As text, since a tree cannot hold everything that a file can.
        if (value is not null)
            parent.Add(names[^1], "<here>");
        var file = Encoding.UTF8.GetBytes(tree.ToJsonString().Replace("\"\\u003Chere\\u003E\"", value, StringComparison.Ordinal));

        var error = Assert.Throws<FormatException>(() => SequenceTokenizer.FromStream(new MemoryStream(file)));

        Assert.StartsWith("tokenizer.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\":{}")]
    [InlineData("{\"model\":{},\"model\":{}}")]
    [InlineData("{\"model\":{\"vocab\":{\"a\":0,\"\\u0061\":1},\"merges\":[]}}")]
    public void What_is_no_such_JSON_is_refused(string text)
    {
        Assert.Throws<FormatException>(() => SequenceTokenizer.FromStream(new MemoryStream(Encoding.UTF8.GetBytes(text))));
    }

    [Fact]
    public void Deep_nesting_and_endless_streams_are_refused()
    {
        var deep = Encoding.UTF8.GetBytes(new string('[', 100_000));

        Assert.Throws<FormatException>(() => SequenceTokenizer.FromStream(new MemoryStream(deep)));
        Assert.Contains("longer than 67108864 bytes", Assert.Throws<FormatException>(() => SequenceTokenizer.FromStream(new EndlessStream())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Older_files_without_optional_members_are_read()
    {
        var tree = TinyTokenizer.Tree();
        foreach (var name in new[] { "version", "truncation", "padding", "added_tokens", "normalizer", "post_processor", "decoder" })
            tree.Remove(name);
        foreach (var name in new[] { "type", "dropout", "unk_token", "fuse_unk" })
            tree["model"]!.AsObject().Remove(name);
        tree["pre_tokenizer"]!.AsObject().Remove("use_regex");

        Assert.Equal(["the", "Ġthe"], TinyTokenizer.Tokens(TinyTokenizer.Create(tree), "the the"));
    }

    [Fact]
    public void Twenty_thousand_damaged_files_give_a_tokenizer_or_a_FormatException()
    {
        var tree = TinyTokenizer.ShortTree(
            TinyTokenizer.Added(50, "<s>", normalized: true, leftStrip: true), TinyTokenizer.Added(51, "  ", rightStrip: true));
        var valid = TinyTokenizer.Bytes(tree);
        tree["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"}]}""");
        tree["pre_tokenizer"] = JsonNode.Parse(SplitBy(ByteLevelWords.ThreeDigitsPattern));
        tree["model"]!["ignore_merges"] = true;
        var newer = TinyTokenizer.Bytes(tree);
        var random = new Random(11);
        int read = 0, refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var file = Mutate(i % 4 == 0 ? newer : valid, random);
            try
            {
                var tokenizer = SequenceTokenizer.FromStream(new MemoryStream(file));
                Assert.All(tokenizer.Encode("the <s> e\u0301 \ud83d and  x\ud83d\ude42"), id => Assert.InRange(id, 0, tokenizer.VocabSize - 1));
                tokenizer.Decode([0, 1, 50, 51, 5000]);
                read++;
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.True(read > 1000 && refused > 1000, $"{read} read, {refused} refused");
    }

    /// <summary>A pre-tokenizer as Llama 3 and Qwen 2 have it, by another expression.</summary>
    internal static string SplitBy(string expression) => $$"""
        {"type":"Sequence","pretokenizers":[
          {"type":"Split","pattern":{"Regex":{{System.Text.Json.JsonSerializer.Serialize(expression)}}},"behavior":"Isolated","invert":false},
          {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
        """.Replace("\\u002B", "+", StringComparison.Ordinal);

    private static byte[] Mutate(byte[] valid, Random random)
    {
        const string Bytes = "{}[]\",:\\-019aetrufn \u00e4";
        var file = new List<byte>(valid);
        for (var changes = random.Next(1, 4); changes > 0 && file.Count > 0; changes--)
        {
            var at = random.Next(file.Count);
            var length = Math.Min(random.Next(1, 30), file.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    file[at] = (byte)random.Next(256);
                    break;
                case 1:
                    file[at] = (byte)Bytes[random.Next(Bytes.Length)];
                    break;
                case 2:
                    file.RemoveRange(at, length);
                    break;
                case 3:
                    file.InsertRange(random.Next(file.Count), file.GetRange(at, length));
                    break;
                case 4:
                    file.Insert(at, (byte)Bytes[random.Next(Bytes.Length)]);
                    break;
                default:
                    ChangeDigit(file, at, random);
                    break;
            }
        }
        return [.. file];
    }

    private static void ChangeDigit(List<byte> file, int at, Random random)
    {
        while (at < file.Count && !char.IsAsciiDigit((char)file[at]))
            at++;
        if (at < file.Count)
            file[at] = (byte)('0' + random.Next(10));
    }

    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            buffer.AsSpan(offset, count).Fill((byte)' ');
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
