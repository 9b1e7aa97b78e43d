using System.Text.Json;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
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
    public void Positions_have_no_place_in_the_layout()
    {
        using var model = TinyCheckpoint.Model(config: TinyCheckpoint.Config with { MaxPositions = 3 });
        var error = Assert.Throws<ArgumentException>(() => MambaCheckpoint.Save(model, _folder));
        Assert.StartsWith("MambaCheckpoint: MaxPositions is 3; expected 0, since the layout of Hugging Face knows no positions.", error.Message, StringComparison.Ordinal);
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
