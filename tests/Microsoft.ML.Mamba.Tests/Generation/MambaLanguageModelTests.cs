using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Generation;

public sealed class MambaLanguageModelTests : IDisposable
{
    private static readonly MambaConfig Small = new() { DModel = 12, NLayer = 2, DState = 4, VocabSize = 256, Bidirectional = false };

    private readonly MambaLanguageModel _model = new(new MambaForCausalLM(Small, tieEmbeddings: false, seed: 3), SequenceTokenizer.Bytes, [7]);

    public static TheoryData<string> GoldenNames() => [.. GoldenLanguageModel.Names];

    [SkippableTheory]
    [MemberData(nameof(GoldenNames))]
    public void Greedy_continuations_are_those_of_the_official_model(string name)
    {
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = new MambaLanguageModel(GoldenLanguageModel.Read(name), null, []);
        var want = RowsOf(golden["greedy_ids"]);

        var got = model.Generate(RowsOf(golden["input_ids"]), new() { MaxNewTokens = want[0].Length });

        Assert.Equal(want, got);
    }

    [SkippableTheory]
    [InlineData("mamba-tied")]
    [InlineData("mamba-untied-sharded")]
    [InlineData("falcon-mamba")]
    public void A_checkpoint_folder_continues_as_Hugging_Face_s_library_does(string name)
    {
        using var golden = GoldenFile.Read($"hf/{name}/reference");
        using var model = MambaLanguageModel.Load(SharedFolder.Path("golden", "hf", name));
        var want = RowsOf(golden["generated"])[0];

        var got = model.Generate([want[..9]], new() { MaxNewTokens = want.Length - 9, StopTokens = [] })[0];

        Assert.Equal(want[9..], got);
    }

    [SkippableTheory]
    [MemberData(nameof(GoldenNames))]
    public void Likelihoods_are_those_of_the_official_model_s_scores(string name)
    {
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = new MambaLanguageModel(GoldenLanguageModel.Read(name), null, []);
        var sequences = RowsOf(golden["input_ids"]);
        using var logs = nn.functional.log_softmax(golden["logits"].to(ScalarType.Float64), -1);

        var got = model.Score(sequences);

        for (var row = 0; row < sequences.Length; row++)
        {
            var want = Enumerable.Range(1, sequences[row].Length - 1).Sum(t => logs[row, t - 1, sequences[row][t]].item<double>());
            Assert.Equal(sequences[row].Length - 1, got[row].Tokens);
            Assert.True(Math.Abs(got[row].LogLikelihood - want) <= 1e-4 * Math.Abs(want), $"row {row}: {got[row].LogLikelihood}; expected {want}");
            Assert.True(Math.Abs(got[row].Perplexity - Math.Exp(-want / got[row].Tokens)) <= 1e-3 * got[row].Perplexity);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    public void A_row_s_tokens_do_not_depend_on_the_other_rows(double temperature)
    {
        int[][] prompts = [[1, 2, 3], [200], [9, 8, 7, 6, 5, 4, 3, 2, 1], [65, 66]];
        var options = new MambaGenerationOptions { MaxNewTokens = 20, Temperature = temperature, Seed = 5, RepetitionPenalty = 1.2, StopTokens = [] };

        var together = _model.Generate(prompts, options);

        Assert.All(together, tokens => Assert.Equal(20, tokens.Length));
        Assert.Equal(together[0], _model.Generate([prompts[0]], options)[0]);
        Assert.Equal(together.Take(2), _model.Generate(prompts[..2], options));
        if (temperature == 0)
            Assert.All(Enumerable.Range(0, 4), row => Assert.Equal(together[row], _model.Generate([prompts[row]], options)[0]));
    }

    [Fact]
    public void Continuing_a_continuation_is_the_same_as_going_on()
    {
        var options = new MambaGenerationOptions { MaxNewTokens = 16, StopTokens = [] };
        var whole = _model.Generate([[10, 20, 30]], options)[0];

        var rest = _model.Generate([[10, 20, 30, .. whole[..8]]], new() { MaxNewTokens = 8, StopTokens = [] })[0];

        Assert.Equal(whole[8..], rest);
    }

    [Fact]
    public void A_prompt_longer_than_a_piece_gives_what_one_pass_gives()
    {
        var random = new Random(1);
        var prompt = Enumerable.Range(0, 2048 + 777).Select(_ => random.Next(256)).ToArray();
        using var network = new MambaForCausalLM(Small, tieEmbeddings: false, seed: 3);
        using var noGradient = no_grad();
        using var input = SequenceInput.FromIds(prompt, 1, prompt.Length, [prompt.Length]);
        using var logits = network.forward(input);

        Assert.Equal(logits[0, prompt.Length - 1].argmax().item<long>(), _model.Generate([prompt], new() { MaxNewTokens = 1, StopTokens = [] })[0][0]);
    }

    [Fact]
    public void A_stop_token_ends_its_row_only_and_is_not_part_of_it()
    {
        int[][] prompts = [[1, 2, 3], [77, 78]];
        var free = _model.Generate(prompts, new() { MaxNewTokens = 30, StopTokens = [], Temperature = 1, Seed = 2 });
        var stop = free[0].First(id => !free[1].Contains(id));

        var stopped = _model.Generate(prompts, new() { MaxNewTokens = 30, StopTokens = [stop], Temperature = 1, Seed = 2 });

        Assert.Equal(free[0][..Array.IndexOf(free[0], stop)], stopped[0]);
        Assert.Equal(free[1], stopped[1]);
    }

    [Fact]
    public void The_checkpoint_s_end_ids_stop_unless_options_say_otherwise()
    {
        var greedy = new MambaGenerationOptions { MaxNewTokens = 40, StopTokens = [] };
        var free = _model.Generate([[1]], greedy)[0];
        using var ending = new MambaLanguageModel(new MambaForCausalLM(Small, tieEmbeddings: false, seed: 3), null, [free[5]]);

        Assert.Equal(free[..Array.IndexOf(free, free[5])], ending.Generate([[1]], new() { MaxNewTokens = 40 })[0]);
        Assert.Equal(free, ending.Generate([[1]], greedy)[0]);
    }

    [Fact]
    public async Task Streamed_tokens_are_those_of_the_whole_text()
    {
        var options = new MambaGenerationOptions { MaxNewTokens = 60, Temperature = 1.2, Seed = 9, StopTokens = [] };
        var tokens = new List<MambaGeneratedToken>();

        await foreach (var token in _model.GenerateAsync("Grüße", options))
            tokens.Add(token);

        Assert.Equal(_model.Generate([SequenceTokenizer.Bytes.Encode("Grüße")], options)[0], tokens.Select(t => t.Id));
        Assert.Equal(_model.Generate("Grüße", options), string.Concat(tokens.Select(t => t.Text)));
    }

    [Fact]
    public async Task Cancelling_ends_a_stream_at_the_next_token()
    {
        using var source = new CancellationTokenSource();
        var count = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _model.GenerateAsync("abc", new() { MaxNewTokens = 100_000, StopTokens = [] }, source.Token))
            {
                if (++count == 3)
                    await source.CancelAsync();
            }
        });

        Assert.Equal(3, count);
    }

    [Fact]
    public void Cancelling_ends_a_batch()
    {
        using var source = new CancellationTokenSource(millisecondsDelay: 50);

        Assert.ThrowsAny<OperationCanceledException>(() => _model.Generate([[1]], new() { MaxNewTokens = int.MaxValue, StopTokens = [] }, source.Token));
    }

    [Fact]
    public void A_long_sequence_is_scored_piece_by_piece_as_in_one()
    {
        var random = new Random(2);
        var ids = Enumerable.Range(0, 5000).Select(_ => random.Next(256)).ToArray();
        var (whole, half) = (_model.Score([ids])[0], _model.Score([ids[..2500]])[0]);
        using var network = new MambaForCausalLM(Small, tieEmbeddings: false, seed: 3);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var logs = nn.functional.log_softmax(network.forward(SequenceInput.FromIds(ids, 1, ids.Length, [ids.Length])).squeeze(0), -1);
        double Sum(int length) => Enumerable.Range(1, length - 1).Sum(t => (double)logs[t - 1, ids[t]].item<float>());

        Assert.Equal(4999, whole.Tokens);
        Assert.Equal(Sum(5000), whole.LogLikelihood, 0.02);
        Assert.Equal(Sum(2500), half.LogLikelihood, 0.02);
    }

    [Fact]
    public void Sequences_with_nothing_to_predict_have_no_tokens()
    {
        var scores = _model.Score([[], [4]]);

        Assert.All(scores, score => Assert.Equal(new MambaLikelihood(0, 0), score));
        Assert.All(scores, score => Assert.True(double.IsNaN(score.Perplexity)));
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        using var idsOnly = new MambaLanguageModel(new MambaForCausalLM(Small, tieEmbeddings: true, seed: 3), null, []);
        Assert.StartsWith("MambaLanguageModel: the checkpoint has no tokenizer.json", Assert.Throws<InvalidOperationException>(() => idsOnly.Generate("a")).Message, StringComparison.Ordinal);
        Assert.StartsWith("MambaLanguageModel: the prompt is empty; expected at least one token", Assert.Throws<ArgumentException>(() => _model.Generate("")).Message, StringComparison.Ordinal);
        Assert.StartsWith("MambaLanguageModel: id 256 at position 1; the model knows ids 0 to 255.", Assert.Throws<ArgumentException>(() => _model.Generate([[0, 256]])).Message, StringComparison.Ordinal);
        Assert.StartsWith("MambaLanguageModel: id -1 at position 0; the model knows ids 0 to 255.", Assert.Throws<ArgumentException>(() => _model.Score([[-1]])).Message, StringComparison.Ordinal);
        var error = Assert.Throws<ArgumentException>(() => _model.Generate([[1]], new() { Temperature = -1, TopP = 0, TopK = -2, MaxNewTokens = -1, RepetitionPenalty = 0, StopTokens = [300] }));
        Assert.Equal(
            "MambaGenerationOptions: MaxNewTokens is -1; expected ≥ 0. Temperature is -1; expected 0 (greedy) or a finite number above 0. TopK is -2; expected 0 (all tokens) or a number above 0. "
            + "TopP is 0; expected above 0 to 1 (all tokens). RepetitionPenalty is 0; expected a finite number above 0. StopTokens is 300; expected ids from 0 to 255.",
            error.Message);
    }

    [Fact]
    public void A_disposed_model_turns_calls_away()
    {
        _model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _model.Generate([[1]]));
        Assert.Throws<ObjectDisposedException>(() => _model.Score([[1, 2]]));
    }

    [Fact]
    public void Threads_share_a_model()
    {
        var options = new MambaGenerationOptions { MaxNewTokens = 15, StopTokens = [] };
        var want = _model.Generate([[3, 1, 4]], options)[0];

        Parallel.For(0, 8, _ => Assert.Equal(want, _model.Generate([[3, 1, 4]], options)[0]));
    }

    public void Dispose() => _model.Dispose();

    private static int[][] RowsOf(Tensor ids) =>
        [.. Enumerable.Range(0, (int)ids.shape[0]).Select(row => ids[row].data<long>().ToArray().Select(id => (int)id).ToArray())];
}
