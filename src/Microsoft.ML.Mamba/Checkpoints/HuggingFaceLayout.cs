using System.Text.Json;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// config.json as Hugging Face transformers writes it for the model types mamba and falcon_mamba. Defaults of absent settings are
/// those of its classes MambaConfig and FalconMambaConfig, so use_bias is true and embeddings are tied unless the file says otherwise.
/// </summary>
internal static class HuggingFaceLayout
{
    internal const string Mamba = "mamba";

    private const string FalconMamba = "falcon_mamba";
    private const double FalconMixerEpsilon = 1e-6;

    public static CheckpointConfig Read(JsonFields fields)
    {
        var type = fields.Text("model_type") ?? Mamba;
        if (type is not (Mamba or FalconMamba))
            fields.Unsupported("model_type", $"'{type}'", $"'{Mamba}', '{FalconMamba}' or '{CaduceusLayout.Caduceus}'; other models are not supported");
        if (fields.Text("hidden_act") is { } activation and not ("silu" or "swish"))
            fields.Unsupported("hidden_act", $"'{activation}'", "'silu'");
        if (fields.Has("quantization_config"))
            fields.Unsupported("quantization_config", "present", "weights that are not quantised");
        var dModel = fields.Size("hidden_size");
        var expand = fields.Size("expand", 2);
        var inner = fields.Has("intermediate_size") ? fields.Size("intermediate_size") : 0;
        var rank = fields.SizeOrAuto("time_step_rank");
        var model = new MambaConfig
        {
            DModel = dModel,
            NLayer = fields.Size("num_hidden_layers"),
            VocabSize = fields.Size("vocab_size"),
            DState = fields.Size("state_size", 16),
            DConv = fields.Size("conv_kernel", 4),
            Expand = expand,
            IntermediateSize = inner == (long)expand * dModel ? 0 : inner,
            DtRank = Rank(rank, dModel),
            NormEpsilon = (float)fields.Number("layer_norm_epsilon", 1e-5),
            MixerNormEpsilon = type == FalconMamba || fields.Has("mixer_rms_eps") ? (float)fields.Number("mixer_rms_eps", FalconMixerEpsilon) : 0,
            UseBias = fields.Flag("use_bias", true),
            UseConvBias = fields.Flag("use_conv_bias", true),
            DtMin = fields.Number("time_step_min", 1e-3),
            DtMax = fields.Number("time_step_max", 0.1),
            DtFloor = fields.Number("time_step_floor", 1e-4),
            Bidirectional = false,
        };
        return new CheckpointConfig(model, fields.Flag("tie_word_embeddings", true), fields.Ids("eos_token_id"));
    }

    /// <summary>What of an architecture the layout has no place for, as a message; null when it has a place for all.</summary>
    public static string? Misfit(MambaConfig model)
    {
        const string Layout = "since the layout of Hugging Face";
        var misfits = new List<string>();
        if (model.VocabSize == 0)
            misfits.Add($"FrameWidth is {model.FrameWidth}; expected 0 and a VocabSize, {Layout} knows ids alone.");
        if (model.Bidirectional)
            misfits.Add($"Bidirectional is true; expected false, {Layout} knows causal models alone.");
        if (model.MaxPositions > 0)
            misfits.Add($"MaxPositions is {model.MaxPositions}; expected 0, {Layout} knows no positions.");
        if (model.Norm != MambaNorm.RmsNorm)
            misfits.Add($"Norm is {model.Norm}; expected {nameof(MambaNorm.RmsNorm)}, {Layout} knows no other norm.");
        return misfits.Count == 0 ? null : $"{nameof(MambaCheckpoint)}: {string.Join(" ", misfits)}";
    }

    /// <summary>Writes what <see cref="Read"/> reads back as it was.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="config">The settings.</param>
    /// <param name="head">Whether the weights beside it are those of a language model, or of an encoder alone.</param>
    public static void Write(Stream stream, CheckpointConfig config, bool head)
    {
        var model = config.Model;
        var falcon = model.MixerNormEpsilon > 0;
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue((falcon ? "FalconMamba" : "Mamba") + (head ? "ForCausalLM" : "Model"));
        json.WriteEndArray();
        json.WriteString("model_type", falcon ? FalconMamba : Mamba);
        json.WriteString("torch_dtype", "float32");
        json.WriteNumber("hidden_size", model.DModel);
        json.WriteNumber("num_hidden_layers", model.NLayer);
        json.WriteNumber("vocab_size", model.VocabSize);
        json.WriteNumber("state_size", model.DState);
        json.WriteNumber("conv_kernel", model.DConv);
        json.WriteNumber("expand", model.Expand);
        json.WriteNumber("intermediate_size", model.DInner);
        json.WriteNumber("time_step_rank", model.EffectiveDtRank);
        json.WriteNumber("layer_norm_epsilon", model.NormEpsilon);
        if (falcon)
            json.WriteNumber("mixer_rms_eps", model.MixerNormEpsilon);
        json.WriteBoolean("use_bias", model.UseBias);
        json.WriteBoolean("use_conv_bias", model.UseConvBias);
        json.WriteNumber("time_step_min", model.DtMin);
        json.WriteNumber("time_step_max", model.DtMax);
        json.WriteNumber("time_step_floor", model.DtFloor);
        json.WriteString("hidden_act", "silu");
        json.WriteBoolean("residual_in_fp32", true);
        json.WriteBoolean("tie_word_embeddings", config.TieEmbeddings);
        WriteEndTokens(json, config.EndTokenIds);
        json.WriteEndObject();
    }

    /// <summary>0, the default, for the rank that the default stands for.</summary>
    internal static int Rank(int rank, int dModel) => rank == new MambaConfig { DModel = dModel }.EffectiveDtRank ? 0 : rank;

    internal static void WriteEndTokens(Utf8JsonWriter json, IReadOnlyList<int> ids)
    {
        if (ids.Count == 0)
            json.WriteNull("eos_token_id");
        else if (ids.Count == 1)
            json.WriteNumber("eos_token_id", ids[0]);
        else
        {
            json.WriteStartArray("eos_token_id");
            foreach (var id in ids)
                json.WriteNumberValue(id);
            json.WriteEndArray();
        }
    }
}
