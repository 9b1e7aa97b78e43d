using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Whole language models against the numbers of the official implementation, on every backend.</summary>
public sealed class GoldenLanguageModelTests
{
    public static TheoryData<string, string> Cases() => BackendCases.Of(GoldenLanguageModel.Names);

    public static TheoryData<string> Backends() => BackendCases.All();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Logits_and_hidden_states_are_those_of_the_official_model(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = GoldenLanguageModel.Read(name);
        using var noGradient = no_grad();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());

        using var hidden = model.Backbone.forward(input);
        using var logits = model.forward(input);

        golden.AssertMatches("final_hidden", hidden);
        golden.AssertMatches("logits", logits);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void The_residual_stream_after_every_block_is_that_of_the_official_model(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = GoldenLanguageModel.Read(name);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());
        var layers = model.Backbone.Config.NLayer;
        Assert.Equal(layers, golden.Names.Count(tensor => tensor.StartsWith("block_out.", StringComparison.Ordinal)));

        golden.AssertMatches("embeddings", model.Backbone.Encode(input, layer: 0, mask: null));
        for (var layer = 1; layer <= layers; layer++)
        {
            using var state = model.Backbone.NewState(input.Batch);
            var pieces = new[] { input.Slice(0, 11), input.Slice(11, input.Length - 11) }.Select(piece => model.Backbone.EncodePiece(piece, layer, state)).ToArray();

            golden.AssertMatches($"block_out.{layer - 1}", model.Backbone.Encode(input, layer, mask: null));
            golden.AssertMatches($"block_out.{layer - 1}", cat(pieces, 1));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void States_after_the_prompt_and_greedy_continuation_are_those_of_the_official_model(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = GoldenLanguageModel.Read(name);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());
        using var state = model.Backbone.NewState(input.Batch);

        var logits = model.Forward(input, state);
        for (var layer = 0; layer < state.Layers.Count && golden.Find("cache.0.ssm_state") is not null; layer++)
            AssertStates(golden, $"cache.{layer}.", state.Layers[layer]);

        var next = logits.select(1, input.Length - 1).argmax(1);
        for (var k = 0; k < golden["greedy_ids"].shape[1]; k++)
        {
            TensorAssert.BitEqual(golden["greedy_ids"].select(1, k), next, $"greedy ids {k}");
            var scores = model.Step(next, state);
            if (golden.Find("greedy_logits") is { } want)
                TensorAssert.Close(want.select(1, k), scores, golden.ToleranceOf("greedy_logits"), $"greedy logits {k}");
            next = scores.argmax(1);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Sequences_of_a_padded_batch_are_those_alone(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("padded/mamba1_tied");
        using var model = GoldenLanguageModel.Read("mamba1_tied");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var lengths = golden["lengths"].data<long>().Select(length => (int)length).ToArray();
        using var input = SequenceInput.FromIds(golden["right_padded_ids"].alias(), lengths);

        var hidden = model.Backbone.forward(input);

        for (var row = 0; row < lengths.Length; row++)
            golden.AssertMatches($"alone.{row}.final_hidden", hidden[row].narrow(0, 0, lengths[row]));
        golden.AssertMatches("last_token", Pool(MambaPooling.Last));
        golden.AssertMatches("mean_pool", Pool(MambaPooling.Mean));
        golden.AssertMatches("max_pool", Pool(MambaPooling.Max));

        Tensor Pool(MambaPooling pooling) => new SequencePooling(pooling, 32, new Initialisation(1)).forward(hidden, lengths);
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void States_of_each_sequence_alone_are_those_of_the_official_model(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("padded/mamba1_tied");
        using var model = GoldenLanguageModel.Read("mamba1_tied");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        for (var row = 0; row < 5; row++)
        {
            var length = golden["lengths"][row].item<long>();
            using var input = SequenceInput.FromIds(golden["right_padded_ids"].narrow(0, row, 1).narrow(1, 0, length).contiguous());
            using var state = model.Backbone.NewState(1);

            var logits = model.Forward(input, state);

            golden.AssertMatches($"alone.{row}.last_logits", logits[0, length - 1]);
            for (var layer = 0; layer < state.Layers.Count; layer++)
                AssertStates(golden, $"alone.{row}.cache.{layer}.", state.Layers[layer], alone: true);
        }
    }

    /// <summary>The golden convolution state is channel-first and one input longer than ours.</summary>
    private static void AssertStates(GoldenFile golden, string prefix, LayerState state, bool alone = false)
    {
        Tensor Batched(string name) => alone ? golden[name].unsqueeze(0) : golden[name];
        var conv = Batched(prefix + "conv_state");
        var want = conv.slice(2, 1, conv.shape[2], 1).transpose(1, 2);
        TensorAssert.Close(want, state.Conv, golden.ToleranceOf(prefix + "conv_state"), prefix + "conv_state");
        TensorAssert.Close(Batched(prefix + "ssm_state"), state.Ssm, golden.ToleranceOf(prefix + "ssm_state"), prefix + "ssm_state");
    }
}
