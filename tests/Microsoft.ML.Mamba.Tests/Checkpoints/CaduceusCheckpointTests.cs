using System.Text;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Checkpoints of Caduceus, one strand (ph) and both (ps), against what its repository computes from them.</summary>
public sealed class CaduceusCheckpointTests
{
    private static readonly string[] Names = ["ph_tied", "ph_untied_multiply", "ps_fused", "ps_unfused"];

    public static TheoryData<string> Folders() => new(Names);

    public static TheoryData<string, string> Backends()
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in Names)
        {
            foreach (var backend in BackendCases.OnCpu)
                cases.Add(name, backend);
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Logits_states_and_gradients_are_those_of_Caduceus(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var golden = GoldenFile.Read($"caduceus/{name}/reference");
        using var model = MambaCheckpoint.Load(Folder(name)).CreateMaskedLanguageModel();
        var config = model.Backbone.Config;
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());

        var logits = model.forward(input);
        var loss = nn.functional.cross_entropy(logits.flatten(0, 1), golden["input_ids"].flatten());
        loss.backward();

        golden.AssertMatches("logits", logits);
        golden.AssertMatches("loss", loss.reshape(1));
        golden.AssertMatches("embeddings", States(model.Backbone, input, 0));
        for (var i = 0; i < config.NLayer; i++)
        {
            var want = golden[$"block.{i}.hidden"] + golden[$"block.{i}.residual"];
            TensorAssert.Close(want, States(model.Backbone, input, i + 1), golden.ToleranceOf($"block.{i}.residual"), $"the stream after block {i}");
        }

        golden.AssertMatches("final_hidden", States(model.Backbone, input, null));
        if (golden.Find("rc_logits") is not null)
        {
            using var other = SequenceInput.FromIds(golden["rc_input_ids"].alias());
            golden.AssertMatches("rc_logits", model.forward(other));
        }

        var gradients = model.named_parameters().ToDictionary(p => "grad." + CaduceusLayout.NameOf(p.name, config, head: true), p => p.parameter.grad!);
        Assert.Equal(golden.Names.Where(tensor => tensor.StartsWith("grad.", StringComparison.Ordinal)).Order(), gradients.Keys.Order());
        foreach (var (tensor, gradient) in gradients)
            golden.AssertMatches(tensor, gradient);
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void A_file_of_torch_save_gives_the_same_bits(string name)
    {
        using var config = File.OpenRead(Path.Combine(Folder(name), "config.json"));
        using var weights = File.OpenRead(Path.Combine(Folder(name), "pytorch_model.bin"));
        using var pickled = MambaCheckpoint.Load(config, weights).CreateMaskedLanguageModel();
        using var safe = MambaCheckpoint.Load(Folder(name)).CreateMaskedLanguageModel();

        AssertSame(safe, pickled);
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void What_is_saved_is_read_back_with_the_same_bits_and_has_the_names_of_Caduceus(string name)
    {
        var checkpoint = MambaCheckpoint.Load(Folder(name));
        using var model = checkpoint.CreateMaskedLanguageModel();
        using MemoryStream config = new(), weights = new();
        MambaCheckpoint.Save(model, config, weights);
        (config.Position, weights.Position) = (0, 0);
        var again = MambaCheckpoint.Load(config, weights);
        using var copy = again.CreateMaskedLanguageModel();

        AssertSame(model, copy);
        Assert.Equal(checkpoint.Config, again.Config);
        Assert.Equal(
            Entries(File.ReadAllBytes(Path.Combine(Folder(name), "model.safetensors"))), Entries(weights.ToArray()));
    }

    [SkippableTheory]
    [MemberData(nameof(Folders))]
    public void A_folder_and_an_encoder_alone_are_saved_too(string name)
    {
        var folder = Directory.CreateTempSubdirectory("caduceus").FullName;
        try
        {
            var checkpoint = MambaCheckpoint.Load(Folder(name));
            checkpoint.Save(folder);
            using var model = checkpoint.CreateMaskedLanguageModel();
            using var copy = MambaCheckpoint.Load(folder).CreateMaskedLanguageModel();
            AssertSame(model, copy);

            using var encoder = checkpoint.CreateEncoder();
            MambaCheckpoint.Save(encoder, folder);
            var alone = MambaCheckpoint.Load(folder);
            using var encoderCopy = alone.CreateEncoder();
            AssertSame(encoder, encoderCopy);
            Assert.False(alone.HasLanguageModelHead);
            Assert.Contains("without a head", Assert.Throws<InvalidOperationException>(alone.CreateMaskedLanguageModel).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(MambaReverseComplement.None)]
    [InlineData(MambaReverseComplement.Equivariant)]
    [InlineData(MambaReverseComplement.EquivariantExchanging)]
    public void Untied_embeddings_biases_and_other_sizes_are_read_back(MambaReverseComplement kind)
    {
        var config = Small(kind) with { UseBias = true, UseConvBias = false, DtRank = 3, Expand = 3, DConv = 2, NormEpsilon = 1e-6f };
        using var model = new MambaForMaskedLM(config, tieEmbeddings: false, seed: 4);
        using MemoryStream settings = new(), weights = new();
        MambaCheckpoint.Save(model, settings, weights);
        (settings.Position, weights.Position) = (0, 0);
        var checkpoint = MambaCheckpoint.Load(settings, weights);
        using var copy = checkpoint.CreateMaskedLanguageModel();

        Assert.Equal((config, false), (checkpoint.Config, checkpoint.TiesEmbeddings));
        AssertSame(model, copy);
        Assert.Contains(nameof(MambaCheckpoint.CreateMaskedLanguageModel), Assert.Throws<InvalidOperationException>(checkpoint.CreateLanguageModel).Message);
    }

    [Fact]
    public void All_that_is_wrong_is_named_at_once()
    {
        using var model = new MambaForMaskedLM(Small(MambaReverseComplement.Equivariant), tieEmbeddings: true, seed: 4);
        using MemoryStream settings = new(), weights = new();
        MambaCheckpoint.Save(model, settings, weights);
        var json = Encoding.UTF8.GetString(settings.ToArray());

        // The names of the norms tell which of the two orders of the strands the weights belong to.
        var order = Problems(json.Replace("\"fused_add_norm\": false", "\"fused_add_norm\": true"), weights);
        Assert.Contains("it calls for tensor 'caduceus.backbone.layers.0.norm.weight' (8), which no file holds", order);
        Assert.Contains("weights: tensor 'caduceus.backbone.norm_f.submodule.weight' (8) is not part of the architecture", order);

        // A with itself and T with itself: an involution, but another one than the weights'.
        var map = Problems(json.Replace("\"0\": 3", "\"0\": 0").Replace("\"3\": 0", "\"3\": 3"), weights);
        Assert.Contains("tensor 'caduceus.backbone.embeddings.word_embeddings.complement_map' has 3 as the complement of id 0; expected 0", map);
        Assert.Contains("tensor 'lm_head.complement_map'", map);

        var broken = Problems(
            json.Replace("\"0\": 3", "\"0\": \"T\"").Replace("\"add\"", "\"mean\"").Replace("\"rms_norm\": true", "\"rms_norm\": false").Replace("\"bidirectional\": true", "\"bidirectional\": false"), weights);
        Assert.Contains("config.json: complement_map is", broken);
        Assert.Contains("bidirectional_strategy is 'mean'; expected 'add' or 'ew_multiply'", broken);
        Assert.Contains("rms_norm is false; expected true", broken);
        Assert.Contains("bidirectional is false; expected true", broken);

        Assert.Contains("complement_map is missing; expected the complement of each id", Problems("""{"model_type": "caduceus", "d_model": 8, "n_layer": 1, "vocab_size": 8, "rcps": true}""", weights));
        Assert.Contains("Complements of id 0 is 1; expected an id from 0 to 7 whose complement is 0", Problems(json.Replace("\"0\": 3", "\"0\": 1"), weights));
        var untied = Problems(json.Replace("\"bidirectional_weight_tie\": true", "\"bidirectional_weight_tie\": false"), weights);
        Assert.Contains("it calls for tensor 'caduceus.backbone.layers.0.mixer.submodule.mamba_rev.in_proj.weight' (32, 8), which no file holds", untied);
    }

    [Fact]
    public void An_architecture_that_the_layout_has_no_place_for_is_refused()
    {
        using var model = new MambaModel(Small(MambaReverseComplement.Equivariant) with { MaxPositions = 5, IntermediateSize = 12, Norm = MambaNorm.LayerNorm }, seed: 4);
        using MemoryStream settings = new(), weights = new();

        var error = Assert.Throws<ArgumentException>(() => MambaCheckpoint.Save(model, settings, weights)).Message;

        Assert.Contains("MaxPositions is 5; expected 0", error);
        Assert.Contains("IntermediateSize is 12; expected 0", error);
        Assert.Contains("Norm is LayerNorm; expected RmsNorm", error);
        Assert.Equal(0, settings.Length + weights.Length);
    }

    private static string Problems(string config, MemoryStream weights) => Assert.Throws<MambaCheckpointException>(
        () => MambaCheckpoint.Load(new MemoryStream(Encoding.UTF8.GetBytes(config)), new MemoryStream(weights.ToArray()))).Message;

    private static MambaConfig Small(MambaReverseComplement kind) => new()
    {
        DModel = 8,
        NLayer = 1,
        DState = 2,
        VocabSize = 8,
        TieDirections = true,
        DirectionMerge = MambaDirectionMerge.Sum,
        ReverseComplement = kind,
        Complements = kind == MambaReverseComplement.None ? null : [3, 2, 1, 0, 4, 5, 6, 7],
    };

    /// <summary>States as Caduceus lays them out: those of the second strand behind the first, read backwards in positions and features.</summary>
    private static Tensor States(MambaModel encoder, SequenceInput input, int? layer)
    {
        var states = encoder.EncodeStrands(input, layer, mask: null);
        if (!encoder.Config.ReadsBothStrands)
            return states;
        var strands = states.chunk(2);
        return cat([strands[0], strands[1].flip(-2, -1)], -1);
    }

    private static void AssertSame(nn.Module want, nn.Module got)
    {
        var (a, b) = (want.state_dict(), got.state_dict());
        Assert.Equal(a.Keys, b.Keys);
        foreach (var (name, tensor) in a)
            TensorAssert.BitEqual(tensor, b[name], name);
    }

    private static IEnumerable<string> Entries(byte[] file) =>
        SafeTensorsHeader.Read(new MemoryStream(file), file.Length, "file").Entries.Select(e => $"{e.Name} {e.Type} ({string.Join(", ", e.Shape)})").Order(StringComparer.Ordinal);

    private static string Folder(string name) => SharedFolder.Path("golden", "caduceus", name);
}
