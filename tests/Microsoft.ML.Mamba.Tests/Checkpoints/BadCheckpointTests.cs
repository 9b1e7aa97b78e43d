using System.IO.Compression;
using System.Text;
using Microsoft.ML.Mamba.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Each kind of bad checkpoint with the error that names it.</summary>
public sealed class BadCheckpointTests : IDisposable
{
    private const string Small = "{\"hidden_size\": 2, \"num_hidden_layers\": 1, \"vocab_size\": 8, \"state_size\": 1, \"conv_kernel\": 2, \"use_bias\": false";

    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-bad-").FullName;

    public static TheoryData<string, string> BadSettings() => new()
    {
        { "[]", "config.json: it is a JSON Array; expected an object." },
        { "{", "config.json: it is not valid JSON: " },
        { "{\"hidden_size\": 2, \"hidden_size\": 3}", "config.json: it is not valid JSON: " },
        { "{\"a\": \"\\ud800\"}", "config.json: it is not valid JSON: " },
        { "{}", "config.json: hidden_size is missing; expected a whole number from 1 to 2147483647.\nconfig.json: num_hidden_layers is missing; expected a whole number from 1 to 2147483647.\nconfig.json: vocab_size is missing; expected a whole number from 1 to 2147483647." },
        { Small + ", \"expand\": -1}", "config.json: expand is -1; expected a whole number from 1 to 2147483647." },
        { Small + ", \"use_conv_bias\": 1}", "config.json: use_conv_bias is 1; expected true or false." },
        { Small + ", \"layer_norm_epsilon\": NaN}", "config.json: layer_norm_epsilon is \"NaN\"; expected a finite number." },
        { Small + ", \"layer_norm_epsilon\": 0}", "config.json: MambaConfig: NormEpsilon is 0; expected a finite number > 0." },
        { Small + ", \"time_step_rank\": \"large\"}", "config.json: time_step_rank is \"large\"; expected a whole number from 1 to 2147483647." },
        { Small + ", \"hidden_act\": \"gelu\"}", "config.json: hidden_act is 'gelu'; expected 'silu'." },
        { Small + ", \"model_type\": 3}", "config.json: model_type is 3; expected a text." },
        { Small + ", \"eos_token_id\": [0, -1]}", "config.json: eos_token_id is -1; expected ids, whole numbers from 0." },
        { Small + ", \"quantization_config\": {}}", "config.json: quantization_config is present; expected weights that are not quantised." },
        { "{\"d_model\": 2, \"n_layer\": 1, \"vocab_size\": 5, \"ssm_cfg\": {\"headdim\": 4}}", "config.json: ssm_cfg.headdim is given; expected only layer, d_state, d_conv, expand, dt_rank, bias, conv_bias, dt_min, dt_max, dt_init_floor." },
        { "{\"d_model\": 2, \"n_layer\": 1, \"vocab_size\": 5, \"attn_layer_idx\": [1]}", "config.json: attn_layer_idx is not empty; expected []; models with attention layers are not supported." },
        { "{\"d_model\": 2, \"n_layer\": 1, \"vocab_size\": 5, \"d_intermediate\": 8}", "config.json: d_intermediate is 8; expected 0; models with MLP layers are not supported." },
        { Small.Replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2000000000") + "}", "config.json: it speaks of 2000000000 layers; the files hold 12 tensors, too few for them." },
        { Small + ", \"tie_word_embeddings\": false}", "config.json: it calls for tensor 'lm_head.weight' (8, 2), which no file holds." },
        { Small.Replace("\"use_bias\": false", "\"use_conv_bias\": true") + "}", "config.json: it calls for tensor 'backbone.layers.0.mixer.in_proj.bias' (8), which no file holds.\nconfig.json: it calls for tensor 'backbone.layers.0.mixer.out_proj.bias' (2), which no file holds." },
        { Small + ", \"use_conv_bias\": false}", "weights: tensor 'backbone.layers.0.mixer.conv1d.bias' (4) is not part of the architecture in config.json." },
        { Small + ", \"intermediate_size\": 4, \"expand\": 16, \"vocab_size_\": 0}", "" },
    };

    [Theory]
    [MemberData(nameof(BadSettings))]
    public void Settings_that_do_not_fit_are_named(string config, string message)
    {
        using var model = TinyCheckpoint.Model();
        var weights = TinyCheckpoint.SafeTensorsFile(model);
        if (message.Length == 0)
            Assert.Equal(TinyCheckpoint.Config with { Expand = 16, IntermediateSize = 4 }, TinyCheckpoint.Load(config, weights).Config);
        else
            Assert.StartsWith(message, Assert.Throws<MambaCheckpointException>(() => TinyCheckpoint.Load(config, weights)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Absent_settings_have_the_defaults_of_the_official_classes()
    {
        var problems = new CheckpointProblems();
        CheckpointConfig Read(string json) => CheckpointConfig.Read(CheckpointFile.Of(new MemoryStream(Encoding.UTF8.GetBytes(json)), "c"), problems)!;

        var hf = Read("{\"hidden_size\": 32, \"num_hidden_layers\": 2, \"vocab_size\": 9, \"d_model\": 7, \"time_step_rank\": \"auto\", \"time_step_limit\": [0, Infinity]}");
        var falcon = Read("{\"model_type\": \"falcon_mamba\", \"hidden_size\": 32, \"num_hidden_layers\": 2, \"vocab_size\": 9}");
        var original = Read("{\"d_model\": 32, \"n_layer\": 2, \"vocab_size\": 50277}");
        problems.ThrowIfAny();

        var expected = new MambaConfig { DModel = 32, NLayer = 2, VocabSize = 9, UseBias = true, Bidirectional = false };
        Assert.Equal((expected, true), (hf.Model, hf.TieEmbeddings));
        Assert.Equal((expected with { MixerNormEpsilon = 1e-6f }, true), (falcon.Model, falcon.TieEmbeddings));
        Assert.Equal((expected with { VocabSize = 50280, UseBias = false }, true), (original.Model, original.TieEmbeddings));
    }

    [Fact]
    public void All_that_is_wrong_is_reported_at_once()
    {
        using var scope = NewDisposeScope();
        using var model = TinyCheckpoint.Model();
        var state = model.state_dict();
        using var file = new MemoryStream();
        SafeTensors.Write(file, state.Where(entry => !entry.Key.EndsWith(".D", StringComparison.Ordinal)).Select(entry => (
            entry.Key, entry.Key.EndsWith("A_log", StringComparison.Ordinal) ? zeros(3, 1) : entry.Key.EndsWith("norm_f.weight", StringComparison.Ordinal) ? zeros(2, dtype: int64) : entry.Value))
            .Append(("backbone.extra", ones(1))));

        var error = Assert.Throws<MambaCheckpointException>(() => TinyCheckpoint.Load(TinyCheckpoint.ConfigFile(), file.ToArray()));

        Assert.Equal(
            "weights: tensor 'backbone.layers.0.mixer.A_log' has shape (3, 1); expected (4, 1) from config.json.\n"
            + "config.json: it calls for tensor 'backbone.layers.0.mixer.D' (4), which no file holds.\n"
            + "weights: tensor 'backbone.norm_f.weight' is Int64; expected Float32, BFloat16, Float16.\n"
            + "weights: tensor 'backbone.extra' (1) is not part of the architecture in config.json.",
            error.Message);
    }

    [Fact]
    public void A_tied_head_that_differs_and_tensors_that_share_bytes_are_named()
    {
        using var model = TinyCheckpoint.Model();
        var items = TinyCheckpoint.TorchItems(model, tied: false);
        var table = items.Single(item => item.Name == "backbone.embedding.weight");
        string Error(params List<TorchFile.Item> all) =>
            Assert.Throws<MambaCheckpointException>(() => TinyCheckpoint.Load(TinyCheckpoint.StateSpacesConfig, TorchFile.Write(all))).Message;

        TinyCheckpoint.Load(TinyCheckpoint.StateSpacesConfig, TorchFile.Write([.. items, table with { Name = "lm_head.weight", Key = "copy" }]));
        Assert.Equal(
            "weights: tensor 'lm_head.weight' differs from 'backbone.embedding.weight', yet config.json ties the two; set tie_word_embeddings (tie_embeddings) to false if they differ on purpose.",
            Error([.. items, table with { Name = "lm_head.weight", Key = "copy", Storage = new float[16] }]));
        var d = items.Single(item => item.Name.EndsWith(".D", StringComparison.Ordinal));
        Assert.Equal(
            "weights: tensors 'backbone.layers.0.mixer.D' and 'backbone.layers.0.mixer.conv1d.bias' share bytes.",
            Error([.. items.Select(item => item.Name.EndsWith("conv1d.bias", StringComparison.Ordinal) ? d with { Name = item.Name } : item)]));
    }

    [Fact]
    public void Folders_and_files_that_are_missing_are_named()
    {
        var missing = Path.Combine(_folder, "none");
        Assert.Contains(missing, Assert.Throws<DirectoryNotFoundException>(() => MambaCheckpoint.Load(missing)).Message);
        Assert.Equal(
            $"{_folder}: it has no config.json; expected it beside the weights.\n"
            + $"{_folder}: it holds no weights; expected model.safetensors or pytorch_model.bin, or one of them with .index.json added and the files that it names.",
            Load());
    }

    [Theory]
    [InlineData("{}", "model.safetensors.index.json: weight_map is missing; expected an object of tensor names and file names.")]
    [InlineData("{\"weight_map\": {\"a\": \"../b\"}}", "model.safetensors.index.json: tensor 'a' lies in \"../b\"; expected the name of a file beside the index.")]
    [InlineData("{\"weight_map\": {\"a\": 3}}", "model.safetensors.index.json: tensor 'a' lies in 3; expected the name of a file beside the index.")]
    [InlineData("{\"weight_map\": {\"a\": \"none\"}}", "model.safetensors.index.json: it names none, which is not beside it.")]
    [InlineData("{\"weight_map\": {\"a\": \"one\", \"c\": \"one\"}}", "model.safetensors.index.json: tensor 'c' should lie in one, which does not have it.")]
    [InlineData("{\"weight_map\": {\"b\": \"one\"}}", "one: tensor 'a' is not in model.safetensors.index.json.\nmodel.safetensors.index.json: tensor 'b' should lie in one, which does not have it.")]
    public void Indexes_that_do_not_fit_are_named(string index, string message)
    {
        using var scope = NewDisposeScope();
        File.WriteAllBytes(Path.Combine(_folder, "config.json"), TinyCheckpoint.ConfigFile());
        File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), index);
        using (var file = File.Create(Path.Combine(_folder, "one")))
            SafeTensors.Write(file, [("a", ones(1))]);
        Assert.Equal(message, Load());
    }

    [Fact]
    public void Streams_that_cannot_seek_are_refused()
    {
        using var forward = new GZipStream(new MemoryStream(), CompressionMode.Decompress);
        var error = Assert.Throws<ArgumentException>(() => MambaCheckpoint.Load(forward, new MemoryStream()));
        Assert.StartsWith("MambaCheckpoint: the stream of config.json cannot be read or cannot seek;", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Load() => Assert.Throws<MambaCheckpointException>(() => MambaCheckpoint.Load(_folder)).Message;
}
