namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// config.json as state-spaces/mamba writes it (<c>config_mamba.py</c>, e9594ce). Absent settings have the defaults of that class, so
/// embeddings are tied unless the file says otherwise; the vocabulary is rounded up as there.
/// </summary>
internal static class StateSpacesLayout
{
    /// <summary>Settings of a mixer that say how it computes or how it was initialised, not what its weights mean.</summary>
    private static readonly string[] WithoutMeaningHere = ["dt_init", "dt_scale", "use_fast_path", "layer_idx", "device", "dtype"];

    private static readonly string[] WithMeaning =
        ["layer", "d_state", "d_conv", "expand", "dt_rank", "bias", "conv_bias", "dt_min", "dt_max", "dt_init_floor"];

    public static CheckpointConfig Read(JsonFields fields)
    {
        if (fields.Text("model_type") is { } type and not HuggingFaceLayout.Mamba)
            fields.Unsupported("model_type", $"'{type}'", $"'{HuggingFaceLayout.Mamba}' or none; other models are not supported");
        if (!fields.IsEmptyArray("attn_layer_idx"))
            fields.Unsupported("attn_layer_idx", "not empty", "[]; models with attention layers are not supported");
        if (fields.Number("d_intermediate", 0) is var width and not 0)
            fields.Unsupported("d_intermediate", width, "0; models with MLP layers are not supported");
        return new CheckpointConfig(ReadModel(fields), fields.Flag("tie_embeddings", true), []);
    }

    /// <summary>The settings that Caduceus has from here: those of the stack and of its mixers.</summary>
    internal static MambaConfig ReadModel(JsonFields fields)
    {
        var dModel = fields.Size("d_model");
        var mixer = fields.Inside("ssm_cfg");
        CheckMixer(mixer);
        return new MambaConfig
        {
            DModel = dModel,
            NLayer = fields.Size("n_layer"),
            VocabSize = RoundUp(fields.Size("vocab_size"), fields.Size("pad_vocab_size_multiple", 8)),
            DState = mixer?.Size("d_state", 16) ?? 16,
            DConv = mixer?.Size("d_conv", 4) ?? 4,
            Expand = mixer?.Size("expand", 2) ?? 2,
            DtRank = HuggingFaceLayout.Rank(mixer?.SizeOrAuto("dt_rank") ?? 0, dModel),
            Norm = fields.Flag("rms_norm", true) ? MambaNorm.RmsNorm : MambaNorm.LayerNorm,
            UseBias = mixer?.Flag("bias", false) ?? false,
            UseConvBias = mixer?.Flag("conv_bias", true) ?? true,
            DtMin = mixer?.Number("dt_min", 1e-3) ?? 1e-3,
            DtMax = mixer?.Number("dt_max", 0.1) ?? 0.1,
            DtFloor = mixer?.Number("dt_init_floor", 1e-4) ?? 1e-4,
            Bidirectional = false,
        };
    }

    private static void CheckMixer(JsonFields? mixer)
    {
        if (mixer is null)
            return;
        if (mixer.Text("layer") is { } layer and not "Mamba1")
        {
            mixer.Unsupported("layer", $"'{layer}'", "'Mamba1'; other layers are not supported");
            return; // its other settings are those of another mixer
        }

        foreach (var name in mixer.Names.Except(WithMeaning).Except(WithoutMeaningHere))
            mixer.Unsupported(name, "given", $"only {string.Join(", ", WithMeaning)}");
    }

    /// <summary>Beyond what an int holds, the largest: the architecture's own check and the tensors' shapes refuse it.</summary>
    private static int RoundUp(int size, int multiple) =>
        (int)Math.Min(int.MaxValue, ((long)size + multiple - 1) / multiple * multiple);
}
