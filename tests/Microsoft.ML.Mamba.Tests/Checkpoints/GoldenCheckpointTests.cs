using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Checkpoints that the official libraries wrote, in every layout, against what those libraries compute from them.</summary>
public sealed class GoldenCheckpointTests
{
    /// <summary>As the README of the files states.</summary>
    private const double Tolerance = 2e-5;

    public static TheoryData<string> HuggingFace() => new() { "mamba-tied", "mamba-untied-sharded", "falcon-mamba" };

    public static TheoryData<string, string> OtherLayouts() => new()
    {
        { "mamba1_tied", "original" },
        { "mamba1_untied", "original" },
        { "mamba1_untied", "hf_sharded" },
        { "mamba1_tied_bf16", "original" },
        { "mamba1_tied_small_ssm", "original" },
    };

    [SkippableTheory]
    [MemberData(nameof(HuggingFace))]
    public void Logits_and_hidden_states_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var golden = Reference(name);
        var checkpoint = Load(name);
        using var model = checkpoint.CreateLanguageModel();
        using var encoder = checkpoint.CreateEncoder();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());

        TensorAssert.Close(golden["logits"], model.forward(input), Tolerance, "logits");
        TensorAssert.Close(golden["last_hidden"], encoder.forward(input), Tolerance, "last_hidden");
        foreach (var length in new[] { 37, 20, 5, 1 })
        {
            using var prefix = SequenceInput.FromIds(golden["input_ids"].narrow(0, 0, 1).narrow(1, 0, length).contiguous());
            TensorAssert.Close(golden[$"prefix_{length}_last_hidden"], encoder.forward(prefix)[0], Tolerance, $"prefix of {length}");
        }
    }

    /// <summary>
    /// hidden_i of the files is the residual stream after block i, counted from 0, and the last one what the last norm gives. Their
    /// README calls hidden_0 the embeddings, which it is not.
    /// </summary>
    [SkippableTheory]
    [MemberData(nameof(HuggingFace))]
    public void The_residual_stream_after_every_block_is_that_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var golden = Reference(name);
        using var encoder = Load(name).CreateEncoder();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());
        var layers = encoder.Config.NLayer;
        Assert.Equal(layers + 1, golden.Keys.Count(tensor => tensor.StartsWith("hidden_", StringComparison.Ordinal)));

        for (var i = 0; i <= layers; i++)
        {
            int? layer = i < layers ? i + 1 : null;
            using var state = encoder.NewState(input.Batch);
            var pieces = new[] { input.Slice(0, 20), input.Slice(20, input.Length - 20) }.Select(piece => encoder.EncodePiece(piece, layer, state)).ToArray();

            TensorAssert.Close(golden[$"hidden_{i}"], encoder.Encode(input, layer, mask: null), Tolerance, $"hidden_{i}");
            TensorAssert.Close(golden[$"hidden_{i}"], cat(pieces, 1), Tolerance, $"hidden_{i} in pieces");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(HuggingFace))]
    public void Hidden_states_in_pieces_and_in_steps_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var golden = Reference(name);
        using var encoder = Load(name).CreateEncoder();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());
        using var state = encoder.NewState(2);

        var first = encoder.Forward(input.Slice(0, 20), state);
        var steps = Enumerable.Range(20, 17).Select(t => encoder.Step(golden["input_ids"].select(1, t), state)).ToArray();

        TensorAssert.Close(golden["last_hidden"], cat([first, stack(steps, 1)], 1), Tolerance, "last_hidden");
    }

    [SkippableTheory]
    [MemberData(nameof(HuggingFace))]
    public void Greedy_continuations_are_those_of_transformers(string name)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var golden = Reference(name);
        using var model = Load(name).CreateLanguageModel();
        var generated = golden["generated"];
        using var prompt = SequenceInput.FromIds(generated.narrow(1, 0, 9).contiguous());
        using var state = model.Backbone.NewState(1);

        var next = model.Forward(prompt, state).select(1, 8).argmax(1);
        for (var t = 9; t < generated.shape[1]; t++)
        {
            Assert.Equal(generated[0, t].item<long>(), next.item<long>());
            next = model.Step(next, state).argmax(1);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(OtherLayouts))]
    public void Every_layout_gives_the_same_architecture_and_bits(string name, string layout)
    {
        var want = MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", name, "hf"));
        var got = MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", name, layout));

        Assert.Equal(want.Config, got.Config);
        Assert.Equal(want.TiesEmbeddings, got.TiesEmbeddings);
        using var a = want.CreateLanguageModel();
        using var b = got.CreateLanguageModel();
        var loaded = b.state_dict();
        foreach (var (tensor, value) in a.state_dict())
            TensorAssert.BitEqual(value, loaded[tensor], tensor);
    }

    [SkippableFact]
    public void Falcon_Mamba_has_norms_inside_its_mixers_and_a_size_of_its_own()
    {
        var config = Load("falcon-mamba").Config;

        Assert.Equal(1e-6f, config.MixerNormEpsilon);
        Assert.Equal((32, 72, 4), (config.DModel, config.DInner, config.EffectiveDtRank));
    }

    [SkippableFact]
    public void End_tokens_come_from_the_settings()
    {
        Assert.Equal([0], Load("mamba-tied").EndTokenIds);
        Assert.Equal([11], MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", "falcon_mamba_untied", "hf")).EndTokenIds);
        Assert.Empty(MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", "mamba1_tied", "original")).EndTokenIds);
    }

    [SkippableTheory]
    [InlineData("hf/mamba2", "model_type is 'mamba2'; expected 'mamba', 'falcon_mamba' or 'caduceus'; other models are not supported.")]
    [InlineData("lm/mamba2_tied/hf", "model_type is 'mamba2'; expected 'mamba', 'falcon_mamba' or 'caduceus'; other models are not supported.")]
    [InlineData("lm/mamba2_tied/original", "ssm_cfg.layer is 'Mamba2'; expected 'Mamba1'; other layers are not supported.")]
    public void Other_models_are_refused_by_name(string folder, string message)
    {
        var error = Assert.Throws<MambaCheckpointException>(() => MambaCheckpoint.Load(SharedFolder.Path(["golden", .. folder.Split('/')])));
        Assert.Equal("config.json: " + message, error.Message);
    }

    [SkippableTheory]
    [InlineData("ph_tied", 43)]
    [InlineData("ps_fused", 65)]
    public void The_tensors_of_other_models_of_torch_are_listed(string name, int count)
    {
        var folder = SharedFolder.Path("golden", "caduceus", name);
        using var want = new Tensors(SafeTensors.Read(Path.Combine(folder, "model.safetensors")));

        var tensors = TorchArchive.List(CheckpointFile.At(Path.Combine(folder, "pytorch_model.bin")));

        Assert.InRange(tensors.Count, want.All.Count, count);
        foreach (var tensor in tensors.Where(t => want.All.ContainsKey(t.Name)))
        {
            using var got = empty(tensor.Shape, dtype: tensor.Type);
            tensor.File.Read(stream =>
            {
                tensor.ReadInto(stream, got);
                return true;
            });
            TensorAssert.BitEqual(want.All[tensor.Name], got, tensor.Name);
        }
    }

    [SkippableFact]
    public void A_model_with_layer_norms_is_that_of_state_spaces_and_has_no_other_layout()
    {
        var checkpoint = MambaCheckpoint.Load(SharedFolder.Path("golden", "lm", "mamba1_layernorm", "original"));

        Assert.Equal(new MambaConfig { DModel = 32, NLayer = 2, VocabSize = 64, Bidirectional = false, Norm = MambaNorm.LayerNorm }, checkpoint.Config);
        var folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Assert.Equal(
            "MambaCheckpoint: Norm is LayerNorm; expected RmsNorm, since the layout of Hugging Face knows no other norm.",
            Assert.Throws<InvalidOperationException>(() => checkpoint.Save(folder)).Message);
        Assert.False(Directory.Exists(folder));
    }

    private static MambaCheckpoint Load(string name) => MambaCheckpoint.Load(SharedFolder.Path("golden", "hf", name));

    private static Dictionary<string, Tensor> Reference(string name) => SafeTensors.Read(SharedFolder.Path("golden", "hf", name, "reference.safetensors"));

    private sealed record Tensors(Dictionary<string, Tensor> All) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in All.Values)
                tensor.Dispose();
        }
    }
}
