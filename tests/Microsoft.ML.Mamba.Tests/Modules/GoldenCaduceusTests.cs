using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>
/// The bidirectional model against Caduceus. That model ties the projections of its two directions and adds them; ours has both
/// separate and averages, and so is the same function when both directions hold Caduceus' weights, those of out_proj doubled.
/// </summary>
public sealed class GoldenCaduceusTests
{
    private const string Prefix = "caduceus.backbone.";
    private static readonly MambaConfig Config = new() { DModel = 16, NLayer = 2, DState = 8, VocabSize = 16, Bidirectional = true };

    public static TheoryData<string> Backends() => BackendCases.All();

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Hidden_states_logits_and_gradients_are_those_of_Caduceus(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("caduceus/ph_tied/reference");
        using var scope = NewDisposeScope();
        using var model = Read();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());

        var hidden = model.forward(input);
        var logits = nn.functional.linear(hidden, model.EmbeddingTable!);
        var loss = nn.functional.cross_entropy(logits.flatten(0, 1), golden["input_ids"].flatten());
        loss.backward();

        golden.AssertMatches("embeddings", model.Encode(input, layer: 0, mask: null));
        for (var i = 0; i < Config.NLayer; i++)
        {
            var want = golden[$"block.{i}.hidden"] + golden[$"block.{i}.residual"];
            TensorAssert.Close(want, model.Encode(input, i + 1, mask: null), golden.ToleranceOf($"block.{i}.residual"), $"the stream after block {i}");
        }

        golden.AssertMatches("final_hidden", hidden);
        golden.AssertMatches("logits", logits);
        golden.AssertMatches("loss", loss.reshape(1));
        var gradients = Gradients(model);
        Assert.Equal(golden.Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal)).Order(), gradients.Keys.Order());
        foreach (var (name, gradient) in gradients)
            golden.AssertMatches(name, gradient);
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Sequences_of_a_padded_batch_are_those_alone(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read("padded/caduceus_ph_tied");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = Read();
        var lengths = golden["lengths"].data<long>().Select(length => (int)length).ToArray();
        var padded = golden["right_padded_ids"];
        foreach (var ids in new[] { padded, cat([padded, full_like(padded, 7)], 1) })
        {
            using var input = SequenceInput.FromIds(ids.alias(), lengths);

            var hidden = model.forward(input);

            for (var row = 0; row < lengths.Length; row++)
            {
                var real = hidden[row].narrow(0, 0, lengths[row]);
                golden.AssertMatches($"alone.{row}.final_hidden", real);
                golden.AssertMatches($"alone.{row}.logits", nn.functional.linear(real, model.EmbeddingTable!));
            }
        }
    }

    [SkippableFact]
    public void The_embedding_of_a_padded_batch_is_that_of_each_sequence_alone()
    {
        using var golden = GoldenFile.Read("padded/caduceus_ph_tied");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaForSequenceEmbedding(Config, MambaPooling.Mean, layer: null, dropout: 0, seed: 1);
        Fill(model.Backbone);
        var lengths = golden["lengths"].data<long>().Select(length => (int)length).ToArray();
        using var input = SequenceInput.FromIds(golden["right_padded_ids"].alias(), lengths);

        golden.AssertMatches("mean_pool", model.call(input));
    }

    private static MambaModel Read()
    {
        var model = new MambaModel(Config, seed: 1);
        Fill(model);
        return model;
    }

    private static void Fill(MambaModel model)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var stored = SafeTensors.Read(SharedFolder.Path("golden", "caduceus", "ph_tied", "model.safetensors"));
        foreach (var (name, target) in model.state_dict())
        {
            var value = stored[OfficialName(name)];
            target.copy_(IsSummed(name) ? value * 2 : value);
        }

        foreach (var tensor in stored.Values)
            tensor.Dispose();
    }

    /// <summary>Gradients of Caduceus' own parameters: the sum over those that it ties, and by the chain rule twice that of what was doubled.</summary>
    private static Dictionary<string, Tensor> Gradients(MambaModel model)
    {
        using var noGradient = no_grad();
        return model.named_parameters().GroupBy(p => "grad." + OfficialName(p.name)).ToDictionary(
            tied => tied.Key,
            tied => tied.Select(p => IsSummed(p.name) ? p.parameter.grad! * 2 : p.parameter.grad!).Aggregate((a, b) => a + b));
    }

    private static bool IsSummed(string name) => name.EndsWith("out_proj.weight", StringComparison.Ordinal);

    private static string OfficialName(string name)
    {
        var tied = name.EndsWith("in_proj.weight", StringComparison.Ordinal) || IsSummed(name);
        return Prefix + (name == "embeddings.weight" ? "embeddings.word_embeddings.weight" : tied ? name.Replace("mamba_rev", "mamba_fwd") : name);
    }
}
