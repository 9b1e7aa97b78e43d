using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Everything about a fitted model but its weights: what <c>config.json</c> holds. The tokenizer lives in a file of its own;
/// here is only its name, to notice when the two do not belong together.
/// </summary>
internal sealed record ModelDescription
{
    /// <summary>The format that this version writes; it reads this one and all before it.</summary>
    internal const int FormatVersion = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(null, allowIntegerValues: false) },
    };

    internal required MambaConfig Config { get; init; }

    internal required MambaPooling Pooling { get; init; }

    internal required TrainingObjective Objective { get; init; }

    /// <summary>What turns text into ids, or null when sequences come as ids or frames.</summary>
    internal SequenceTokenizer? Tokenizer { get; init; }

    /// <summary>The longest sequence that is scored whole; 0 = no limit.</summary>
    internal int MaxLength { get; init; }

    internal SequenceTruncation Truncation { get; init; }

    internal bool ReverseComplementAveraging { get; init; }

    /// <summary>What the blocks compute in on a GPU.</summary>
    internal MambaPrecision Precision { get; init; }

    internal required MambaTrainingHistory History { get; init; }

    /// <summary>Numbers per sequence, or per position of it.</summary>
    internal int OutputCount => Objective.Outputs > 0 ? Objective.Outputs
        : Objective.PerPosition ? Config.DModel
        : SequencePooling.FeaturesOf(Pooling, Config.DModel);

    internal SequenceKind Kind => Config.FrameWidth > 0 ? SequenceKind.Frames : SequenceKind.Ids;

    internal void Write(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("formatVersion", FormatVersion);
        json.WritePropertyName("architecture");
        JsonSerializer.Serialize(json, Config, Json);
        json.WriteString("pooling", Pooling.ToString());
        json.WriteStartObject("objective");
        Objective.WriteJson(json);
        json.WriteEndObject();
        json.WriteString("tokenizer", Tokenizer?.Name);
        json.WriteStartObject("scoring");
        json.WriteNumber("maxLength", MaxLength);
        json.WriteString("truncation", Truncation.ToString());
        json.WriteBoolean("reverseComplementAveraging", ReverseComplementAveraging);
        if (Precision != MambaPrecision.Float32)
        {
            json.WriteString("precision", Precision.ToString()); // only where it says something: earlier versions wrote none
        }
        json.WriteEndObject();
        json.WritePropertyName("history");
        JsonSerializer.Serialize(json, History, Json);
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="Write"/> wrote and checks it.</summary>
    /// <exception cref="MambaCheckpointException">The file is damaged, of a newer version, or does not belong to the tokenizer.</exception>
    internal static ModelDescription Read(Stream stream, SequenceTokenizer? tokenizer)
    {
        try
        {
            using var document = JsonDocument.Parse(stream);
            var root = document.RootElement;
            var version = root.GetProperty("formatVersion").GetInt32();
            if (version > FormatVersion)
            {
                throw new MambaCheckpointException(
                    $"config.json: the model was written by a newer version (format {version}; this version reads up to {FormatVersion}). Update Microsoft.ML.Mamba.");
            }
            var scoring = root.GetProperty("scoring");
            var description = new ModelDescription
            {
                Config = Required<MambaConfig>(root, "architecture"),
                Pooling = root.GetProperty("pooling").Deserialize<MambaPooling>(Json),
                Objective = TrainingObjective.ReadJson(root.GetProperty("objective")),
                Tokenizer = tokenizer,
                MaxLength = scoring.GetProperty("maxLength").GetInt32(),
                Truncation = scoring.GetProperty("truncation").Deserialize<SequenceTruncation>(Json),
                ReverseComplementAveraging = scoring.GetProperty("reverseComplementAveraging").GetBoolean(),
                Precision = scoring.TryGetProperty("precision", out var precision) ? precision.Deserialize<MambaPrecision>(Json) : MambaPrecision.Float32,
                History = Required<MambaTrainingHistory>(root, "history"),
            };
            description.Check(root.GetProperty("tokenizer").GetString());
            return description;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException
            or FormatException and not MambaCheckpointException)
        {
            throw new MambaCheckpointException($"config.json is damaged: {e.Message}", e);
        }
    }

    private static T Required<T>(JsonElement root, string name)
        where T : class => root.GetProperty(name).Deserialize<T>(Json) ?? throw new FormatException($"{name} is null.");

    private void Check(string? tokenizerName)
    {
        Config.ValidateForModel();
        if (Objective.Defect(this) is { } defect)
        {
            throw new FormatException(defect);
        }
        if (tokenizerName != Tokenizer?.Name)
        {
            throw new FormatException($"it names the tokenizer '{tokenizerName ?? "none"}', but the model comes with '{Tokenizer?.Name ?? "none"}'.");
        }
        if (MaxLength < 0)
        {
            throw new FormatException($"scoring.maxLength is {MaxLength}; expected 0 or more.");
        }
        if (ReverseComplementAveraging && Tokenizer is not { HasComplement: true })
        {
            throw new FormatException("scoring.reverseComplementAveraging needs a tokenizer of nucleotides.");
        }
        if (Tokenizer is not null && Tokenizer.VocabSize > Config.VocabSize)
        {
            throw new FormatException($"architecture.vocabSize is {Config.VocabSize}; the tokenizer '{Tokenizer.Name}' needs {Tokenizer.VocabSize}.");
        }
    }
}
