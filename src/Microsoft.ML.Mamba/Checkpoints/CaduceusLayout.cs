using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// config.json and tensor names of kuleshov-group/caduceus 0060a6d (<c>configuration_caduceus.py</c>, <c>modeling_caduceus.py</c>),
/// as Hugging Face transformers writes them. Absent settings have the defaults of its class CaduceusConfig. Where rcps and
/// fused_add_norm are both true, every block exchanges the strands first; the names of the norms tell the two apart as well.
/// </summary>
internal static class CaduceusLayout
{
    internal const string Caduceus = "caduceus";

    /// <summary>Buffers of its modules, which hold what complement_map says.</summary>
    internal static readonly string[] Maps = [EmbeddingsMap, HeadMap];

    private const string EmbeddingsMap = TensorTable.Encoder + "embeddings.complement_map";
    private const string HeadMap = "lm_head.complement_map";

    private const string Model = "caduceus.";
    private const string Add = "add";
    private const string Multiply = "ew_multiply";

    /// <summary>Whether a config.json is of this layout.</summary>
    public static bool Wrote(JsonFields fields) => fields.Text("model_type") == Caduceus;

    public static CheckpointConfig Read(JsonFields fields)
    {
        var bothStrands = fields.Flag("rcps", false);
        if (!fields.Flag("bidirectional", true))
            fields.Unsupported("bidirectional", "false", "true; a causal model is one of the layout of state-spaces");
        if (!fields.Flag("rms_norm", true))
            fields.Unsupported("rms_norm", "false", "true; Caduceus with LayerNorm is not supported");
        var strategy = fields.Text("bidirectional_strategy") ?? Add;
        if (strategy is not (Add or Multiply))
            fields.Unsupported("bidirectional_strategy", $"'{strategy}'", $"'{Add}' or '{Multiply}'");
        var complements = fields.Map("complement_map");
        if (bothStrands && !fields.Has("complement_map"))
            fields.Unsupported("complement_map", "missing", "the complement of each id, since rcps is true");
        var model = StateSpacesLayout.ReadModel(fields) with
        {
            NormEpsilon = (float)fields.Number("norm_epsilon", 1e-5),
            Bidirectional = true,
            DirectionMerge = strategy == Multiply ? MambaDirectionMerge.Product : MambaDirectionMerge.Sum,
            TieDirections = fields.Flag("bidirectional_weight_tie", true),
            ReverseComplement = !bothStrands ? MambaReverseComplement.None
                : fields.Flag("fused_add_norm", true) ? MambaReverseComplement.EquivariantExchanging : MambaReverseComplement.Equivariant,
            Complements = bothStrands ? complements : null,
        };
        return new CheckpointConfig(model, fields.Flag("tie_word_embeddings", true), fields.Ids("eos_token_id")) { Complements = complements };
    }

    /// <summary>Whether an architecture is saved in this layout: its two directions are added or multiplied.</summary>
    public static bool Fits(MambaConfig model) => model.Bidirectional && model.DirectionMerge != MambaDirectionMerge.Mean;

    /// <summary>What of such an architecture the layout has no place for, as a message; null when it has a place for all.</summary>
    public static string? Misfit(MambaConfig model)
    {
        const string Layout = "since the layout of Caduceus";
        var misfits = new List<string>();
        if (model.VocabSize == 0)
            misfits.Add($"FrameWidth is {model.FrameWidth}; expected 0 and a VocabSize, {Layout} knows ids alone.");
        if (model.MaxPositions > 0)
            misfits.Add($"MaxPositions is {model.MaxPositions}; expected 0, {Layout} knows no positions.");
        if (model.Norm != MambaNorm.RmsNorm)
            misfits.Add($"Norm is {model.Norm}; expected {nameof(MambaNorm.RmsNorm)}, the only one of Caduceus that is supported.");
        if (model.MixerNormEpsilon > 0)
            misfits.Add($"MixerNormEpsilon is {model.MixerNormEpsilon}; expected 0, {Layout} knows no norms inside mixers.");
        if (model.IntermediateSize > 0)
            misfits.Add($"IntermediateSize is {model.IntermediateSize}; expected 0, {Layout} knows Expand alone.");
        return misfits.Count == 0 ? null : $"{nameof(MambaCheckpoint)}: {string.Join(" ", misfits)}";
    }

    /// <summary>Writes what <see cref="Read"/> reads back as it was.</summary>
    public static void Write(Stream stream, CheckpointConfig config, bool head)
    {
        var model = config.Model;
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("Caduceus" + (head ? "ForMaskedLM" : ""));
        json.WriteEndArray();
        json.WriteString("model_type", Caduceus);
        json.WriteString("torch_dtype", "float32");
        json.WriteNumber("d_model", model.DModel);
        json.WriteNumber("n_layer", model.NLayer);
        json.WriteNumber("vocab_size", model.VocabSize);
        json.WriteNumber("pad_vocab_size_multiple", 1);
        json.WriteStartObject("ssm_cfg");
        json.WriteNumber("d_state", model.DState);
        json.WriteNumber("d_conv", model.DConv);
        json.WriteNumber("expand", model.Expand);
        json.WriteNumber("dt_rank", model.EffectiveDtRank);
        json.WriteBoolean("bias", model.UseBias);
        json.WriteBoolean("conv_bias", model.UseConvBias);
        json.WriteNumber("dt_min", model.DtMin);
        json.WriteNumber("dt_max", model.DtMax);
        json.WriteNumber("dt_init_floor", model.DtFloor);
        json.WriteEndObject();
        json.WriteBoolean("rms_norm", true);
        json.WriteNumber("norm_epsilon", model.NormEpsilon);
        json.WriteBoolean("residual_in_fp32", true);
        json.WriteBoolean("fused_add_norm", model.ReverseComplement == MambaReverseComplement.EquivariantExchanging);
        json.WriteBoolean("bidirectional", true);
        json.WriteString("bidirectional_strategy", model.DirectionMerge == MambaDirectionMerge.Product ? Multiply : Add);
        json.WriteBoolean("bidirectional_weight_tie", model.TieDirections);
        json.WriteBoolean("rcps", model.ReadsBothStrands);
        WriteComplements(json, model.Complements ?? config.Complements, model.VocabSize);
        json.WriteBoolean("tie_word_embeddings", config.TieEmbeddings);
        HuggingFaceLayout.WriteEndTokens(json, config.EndTokenIds);
        json.WriteEndObject();
    }

    /// <summary>The name that the layout has for a tensor of our models.</summary>
    /// <param name="name">Name in a masked language model.</param>
    /// <param name="model">The architecture.</param>
    /// <param name="head">Whether the files hold a language model, whose encoder is a part of it, or an encoder alone.</param>
    public static string NameOf(string name, MambaConfig model, bool head)
    {
        if (!name.StartsWith(TensorTable.Encoder, StringComparison.Ordinal))
            return model.ReadsBothStrands && name == TensorTable.Head ? "lm_head.lm_head.weight" : name;
        var inside = name;
        if (name == TensorTable.Embeddings)
            inside = TensorTable.Encoder + (model.ReadsBothStrands ? "embeddings.word_embeddings.embedding.weight" : "embeddings.word_embeddings.weight");
        else if (name == EmbeddingsMap)
            inside = TensorTable.Encoder + "embeddings.word_embeddings.complement_map";
        else if (model.ReadsBothStrands)
            inside = InSubmodule(name, model);
        return head ? Model + inside : inside;
    }

    /// <summary>Whether names in files begin with that of a model around the encoder.</summary>
    public static bool IsInsideModel(IEnumerable<StoredTensor> tensors) =>
        tensors.Any(tensor => tensor.Name.StartsWith(Model, StringComparison.Ordinal));

    private static string InSubmodule(string name, MambaConfig model)
    {
        var inside = name.Replace(".mixer.", ".mixer.submodule.", StringComparison.Ordinal);
        return model.ReverseComplement == MambaReverseComplement.EquivariantExchanging ? inside : inside
            .Replace(".norm.", ".norm.submodule.", StringComparison.Ordinal)
            .Replace("norm_f.", "norm_f.submodule.", StringComparison.Ordinal);
    }

    private static void WriteComplements(Utf8JsonWriter json, IReadOnlyList<int>? map, int vocabSize)
    {
        if (map is null)
            return;
        json.WriteStartObject("complement_map");
        for (var id = 0; id < vocabSize; id++)
            json.WriteNumber(id.ToString(CultureInfo.InvariantCulture), id < map.Count ? map[id] : id);
        json.WriteEndObject();
    }
}
