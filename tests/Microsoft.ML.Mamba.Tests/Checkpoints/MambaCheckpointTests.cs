using System.Text.Json;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Tests.Training;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

public sealed class MambaCheckpointTests : IDisposable
{
    private static readonly string[] Kinds = ["tied", "untied", "falcon", "biases"];

    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-checkpoint-").FullName;

    public static TheoryData<string> Models() => new(Kinds);

    [Theory]
    [MemberData(nameof(Models))]
    public void A_saved_model_comes_back_with_the_same_bits_and_settings(string kind)
    {
        using var model = ModelOf(kind);
        MambaCheckpoint.Save(model, _folder, 5, 7);

        var checkpoint = MambaCheckpoint.Load(_folder);
        using var loaded = checkpoint.CreateLanguageModel();
        using var encoder = checkpoint.CreateEncoder();

        Assert.Equal(model.Backbone.Config, checkpoint.Config);
        Assert.Equal(kind == "tied", checkpoint.TiesEmbeddings);
        Assert.Equal([5, 7], checkpoint.EndTokenIds);
        AssertSame(model, loaded);
        AssertSame(model.Backbone, encoder);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void The_table_of_tensors_is_that_of_the_models()
    {
        foreach (var kind in Kinds)
        {
            using var model = ModelOf(kind);
            var want = model.state_dict().Select(entry => $"{entry.Key} ({string.Join(", ", entry.Value.shape)})").Order();
            Assert.Equal(want, TensorTable.Of(model.Backbone.Config, kind != "tied").Select(t => $"{t.Name} ({string.Join(", ", t.Shape)})").Order());
        }
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Half_precision_becomes_float32(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = TinyCheckpoint.Model();

        using var loaded = TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(), TinyCheckpoint.SafeTensorsFile(model, type)).CreateLanguageModel();

        var got = loaded.state_dict();
        foreach (var (name, value) in model.state_dict())
            TensorAssert.BitEqual(value.to(type).to(float32), got[name], name);
    }

    [Fact]
    public void A_tensor_larger_than_one_piece_is_converted_whole()
    {
        using var scope = NewDisposeScope();
        var config = TinyCheckpoint.Config with { VocabSize = 150_000 };
        using var model = TinyCheckpoint.Model(config: config);

        using var loaded = TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(config: config), TinyCheckpoint.SafeTensorsFile(model, ScalarType.BFloat16)).CreateLanguageModel();

        TensorAssert.BitEqual(
            model.state_dict()[TensorTable.Embeddings].to(bfloat16).to(float32), loaded.state_dict()[TensorTable.Embeddings], "embeddings");
    }

    [Fact]
    public void Files_of_torch_and_of_state_spaces_are_read_and_saved_as_Hugging_Face()
    {
        using var model = TinyCheckpoint.Model();
        var checkpoint = TinyCheckpoint.Load(TinyCheckpoint.StateSpacesConfig, TorchFile.Write(TinyCheckpoint.TorchItems(model)));
        Assert.Equal(TinyCheckpoint.Config, checkpoint.Config);

        checkpoint.Save(_folder);

        using var loaded = MambaCheckpoint.Load(_folder).CreateLanguageModel();
        AssertSame(model, loaded);
    }

    [Fact]
    public void Tensors_that_are_views_of_a_storage_are_read()
    {
        using var model = TinyCheckpoint.Model();
        var items = TinyCheckpoint.TorchItems(model).Select(item => item.Name.EndsWith("in_proj.weight", StringComparison.Ordinal) ? Transposed(item) : item);

        using var loaded = TinyCheckpoint.Load(TinyCheckpoint.StateSpacesConfig, TorchFile.Write([.. items])).CreateLanguageModel();

        AssertSame(model, loaded);

        static TorchFile.Item Transposed(TorchFile.Item item)
        {
            var (rows, columns) = ((int)item.Shape[0], (int)item.Shape[1]);
            var storage = new float[3 + rows * columns];
            for (var i = 0; i < rows * columns; i++)
                storage[3 + (i % columns * rows) + (i / columns)] = item.Storage[i];
            return item with { Storage = storage, Strides = [1, rows], Offset = 3 };
        }
    }

    [Fact]
    public void Several_files_without_an_index_are_read_from_streams()
    {
        using var scope = NewDisposeScope();
        using var model = TinyCheckpoint.Model(tied: false);
        var halves = model.state_dict().Select(entry => (entry.Key, entry.Value)).Chunk(5).Select(Bytes).ToArray();

        using var loaded = TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(tied: false), halves).CreateLanguageModel();

        AssertSame(model, loaded);

        static byte[] Bytes((string, Tensor)[] tensors)
        {
            using var file = new MemoryStream();
            SafeTensors.Write(file, tensors);
            return file.ToArray();
        }
    }

    [Fact]
    public void Several_files_of_torch_are_found_by_their_index()
    {
        using var model = TinyCheckpoint.Model(tied: false);
        var map = new Dictionary<string, string>();
        foreach (var (items, i) in TinyCheckpoint.TorchItems(model, tied: false).Chunk(7).Select((items, i) => (items, i)))
        {
            File.WriteAllBytes(Path.Combine(_folder, $"pytorch_model-{i}.bin"), TorchFile.Write(items));
            foreach (var item in items)
                map.Add(item.Name, $"pytorch_model-{i}.bin");
        }

        File.WriteAllText(Path.Combine(_folder, "pytorch_model.bin.index.json"), JsonSerializer.Serialize(new { weight_map = map }));
        File.WriteAllText(Path.Combine(_folder, "config.json"), TinyCheckpoint.StateSpacesConfig.Replace("\"rms_norm\": true", "\"tie_embeddings\": false", StringComparison.Ordinal));

        using var loaded = MambaCheckpoint.Load(_folder).CreateLanguageModel();

        AssertSame(model, loaded);
    }

    [Fact]
    public void An_encoder_saved_alone_is_an_encoder()
    {
        using var encoder = new MambaModel(TinyCheckpoint.Config, seed: 3);
        var checkpoint = TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(tied: false), TinyCheckpoint.SafeTensorsFile(encoder));

        Assert.False(checkpoint.HasLanguageModelHead);
        using var loaded = checkpoint.CreateEncoder();
        AssertSame(encoder, loaded);
        var error = Assert.Throws<InvalidOperationException>(checkpoint.CreateLanguageModel);
        Assert.Equal("MambaCheckpoint: it holds an encoder without a head, which can score no tokens; use CreateEncoder.", error.Message);
        checkpoint.Save(_folder);
        Assert.False(MambaCheckpoint.Load(_folder).HasLanguageModelHead);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Streams_get_the_bytes_of_the_files_and_are_read_back(string kind)
    {
        using var model = ModelOf(kind);
        MambaCheckpoint.Save(model, _folder, 5);
        using MemoryStream config = new(), weights = new();
        config.WriteByte(7);
        weights.WriteByte(7);

        MambaCheckpoint.Save(model, config, weights, 5);

        Assert.Equal([7, .. File.ReadAllBytes(Path.Combine(_folder, "config.json"))], config.ToArray());
        Assert.Equal([7, .. File.ReadAllBytes(Path.Combine(_folder, "model.safetensors"))], weights.ToArray());
        (config.Position, weights.Position) = (1, 1);
        var checkpoint = MambaCheckpoint.Load(config, weights);
        using var loaded = checkpoint.CreateLanguageModel();
        Assert.Equal((model.Backbone.Config, kind == "tied"), (checkpoint.Config, checkpoint.TiesEmbeddings));
        AssertSame(model, loaded);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void An_encoder_is_saved_alone(string kind)
    {
        using var model = ModelOf(kind);
        var encoder = model.Backbone;
        using MemoryStream config = new(), weights = new();

        MambaCheckpoint.Save(encoder, _folder);
        MambaCheckpoint.Save(encoder, config, weights);

        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "config.json")), config.ToArray());
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "model.safetensors")), weights.ToArray());
        (config.Position, weights.Position) = (0, 0);
        foreach (var checkpoint in new[] { MambaCheckpoint.Load(_folder), MambaCheckpoint.Load(config, weights) })
        {
            using var loaded = checkpoint.CreateEncoder();
            Assert.Equal(encoder.Config, checkpoint.Config);
            Assert.False(checkpoint.HasLanguageModelHead);
            AssertSame(encoder, loaded);
        }
    }

    [Fact]
    public void The_encoder_of_a_fitted_model_is_saved_from_a_copy()
    {
        using var fitted = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 1)) with { Config = ToyTasks.SmallModel with { Bidirectional = false } });
        var source = EncoderSource.Of(fitted);

        MambaCheckpoint.Save(source.Config, source.CopyTo, _folder);

        using var loaded = MambaCheckpoint.Load(_folder).CreateEncoder();
        using var want = new MambaModel(source.Config, seed: 1);
        source.CopyTo(want);
        AssertSame(want, loaded);
    }

    [Fact]
    public void A_stream_that_cannot_be_written_is_named()
    {
        using var model = TinyCheckpoint.Model();
        using MemoryStream writable = new(), readOnly = new([], writable: false);

        string Error(Action save) => Assert.Throws<ArgumentException>(save).Message;

        Assert.StartsWith("MambaCheckpoint: the stream of config cannot be written; expected one that can.", Error(() => MambaCheckpoint.Save(model, readOnly, writable)), StringComparison.Ordinal);
        Assert.StartsWith("MambaCheckpoint: the stream of weights cannot be written; expected one that can.", Error(() => MambaCheckpoint.Save(model.Backbone, writable, readOnly)), StringComparison.Ordinal);
        Assert.Equal(0, writable.Length);
    }

    [Fact]
    public void A_save_that_fails_leaves_the_folder_as_it_was()
    {
        using var model = TinyCheckpoint.Model();
        MambaCheckpoint.Save(model, _folder);
        var before = Directory.GetFiles(_folder).ToDictionary(path => path, File.ReadAllBytes);

        Assert.Throws<IOException>(() => AtomicFiles.Write(
            _folder, ("model.safetensors", stream => stream.WriteByte(1)), ("config.json", _ => throw new IOException("the disk is full"))));

        Assert.Equal(before.Keys.Order(), Directory.GetFiles(_folder).Order());
        foreach (var (path, bytes) in before)
            Assert.Equal(bytes, File.ReadAllBytes(path));
        var fresh = Path.Combine(_folder, "fresh");
        Assert.Throws<IOException>(() => AtomicFiles.Write(fresh, ("config.json", _ => throw new IOException("the disk is full"))));
        Assert.False(Directory.Exists(fresh));
    }

    [Fact]
    public void A_checkpoint_is_saved_over_itself()
    {
        using var model = TinyCheckpoint.Model(tied: false);
        MambaCheckpoint.Save(model, _folder);
        MambaCheckpoint.Load(_folder).Save(_folder);
        using var loaded = MambaCheckpoint.Load(_folder).CreateLanguageModel();
        AssertSame(model, loaded);
    }

    [Fact]
    public void Files_that_changed_after_they_were_checked_are_noticed()
    {
        using var model = TinyCheckpoint.Model();
        MambaCheckpoint.Save(model, _folder);
        var checkpoint = MambaCheckpoint.Load(_folder);
        File.AppendAllText(Path.Combine(_folder, "model.safetensors"), "x");

        var error = Assert.Throws<MambaCheckpointException>(checkpoint.CreateLanguageModel);

        Assert.EndsWith("load the checkpoint again.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_place_in_the_layout_is_named_and_nothing_is_written()
    {
        const string Positions = "MaxPositions is 3; expected 0, since the layout of Hugging Face knows no positions.";
        const string Norm = "Norm is LayerNorm; expected RmsNorm, since the layout of Hugging Face knows no other norm.";
        const string Frames = "FrameWidth is 4; expected 0 and a VocabSize, since the layout of Hugging Face knows ids alone.";
        const string Directions = "Bidirectional is true; expected false, since the layout of Hugging Face knows causal models alone.";
        var config = TinyCheckpoint.Config with { MaxPositions = 3, Norm = MambaNorm.LayerNorm };
        using var model = TinyCheckpoint.Model(config: config);
        using var encoder = new MambaModel(config with { VocabSize = 0, FrameWidth = 4, Bidirectional = true }, seed: 1);
        using var stream = new MemoryStream();
        var folder = Path.Combine(_folder, "fresh");

        void AssertRefused(string message, Action save) =>
            Assert.StartsWith("MambaCheckpoint: " + message, Assert.Throws<ArgumentException>(save).Message, StringComparison.Ordinal);

        AssertRefused($"{Positions} {Norm}", () => MambaCheckpoint.Save(model, folder));
        AssertRefused($"{Positions} {Norm}", () => MambaCheckpoint.Save(model, stream, stream));
        AssertRefused($"{Frames} {Directions} {Positions} {Norm}", () => MambaCheckpoint.Save(encoder, folder));
        AssertRefused($"{Frames} {Directions} {Positions} {Norm}", () => MambaCheckpoint.Save(encoder, stream, stream));
        AssertRefused($"{Frames} {Directions} {Positions} {Norm}", () => MambaCheckpoint.Save(encoder.Config, _ => Assert.Fail("copied"), folder));
        Assert.False(Directory.Exists(folder));
        Assert.Equal(0, stream.Length);
    }

    [Fact]
    public void The_table_of_a_model_with_layer_norms_is_that_of_the_model()
    {
        using var model = TinyCheckpoint.Model(config: TinyCheckpoint.Config with { Norm = MambaNorm.LayerNorm, NLayer = 2 });
        var settings = TinyCheckpoint.StateSpacesConfig.Replace("\"rms_norm\": true", "\"rms_norm\": false", StringComparison.Ordinal).Replace("\"n_layer\": 1", "\"n_layer\": 2", StringComparison.Ordinal);
        var items = TinyCheckpoint.TorchItems(model);

        using var loaded = TinyCheckpoint.Load(settings, TorchFile.Write(items)).CreateLanguageModel();
        var error = Assert.Throws<MambaCheckpointException>(() => TinyCheckpoint.Load(settings, TorchFile.Write([.. items.Where(item => !item.Name.EndsWith("norm.bias", StringComparison.Ordinal))])));

        AssertSame(model, loaded);
        Assert.Equal(
            "config.json: it calls for tensor 'backbone.layers.0.norm.bias' (2), which no file holds.\nconfig.json: it calls for tensor 'backbone.layers.1.norm.bias' (2), which no file holds.",
            error.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static MambaForCausalLM ModelOf(string kind) => kind switch
    {
        "tied" => TinyCheckpoint.Model(),
        "untied" => TinyCheckpoint.Model(tied: false, TinyCheckpoint.Config with { DtRank = 3, UseConvBias = false, NormEpsilon = 1e-6f }),
        "falcon" => TinyCheckpoint.Model(tied: false, TinyCheckpoint.Config with { MixerNormEpsilon = 1e-6f, IntermediateSize = 5 }),
        _ => TinyCheckpoint.Model(tied: false, TinyCheckpoint.Config with { UseBias = true, NLayer = 2 }),
    };

    private static void AssertSame(nn.Module want, nn.Module got)
    {
        var state = got.state_dict();
        Assert.Equal(want.state_dict().Count, state.Count);
        foreach (var (name, value) in want.state_dict())
            TensorAssert.BitEqual(value, state[name], name);
    }
}
