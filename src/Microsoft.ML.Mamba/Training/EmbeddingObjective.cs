using System.Text.Json;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// A vector that stands for the sequence, or one for each position: an encoder's hidden states. They are learnt without labels,
/// by predicting parts of the sequences themselves (<see cref="SelfSupervisedTrainee"/>).
/// </summary>
/// <param name="layer">The block, from 1, whose residual stream is read; null: the encoder's result, after the last norm.</param>
/// <param name="normalize">Whether vectors are scaled to length 1.</param>
/// <param name="perPosition">Whether each position has a vector; the model's pooling is then not used.</param>
internal sealed class EmbeddingObjective(int? layer, bool normalize, bool perPosition) : TrainingObjective
{
    internal const string ObjectiveName = "embedding";

    internal override string Name => ObjectiveName;

    internal override int Outputs => 0;

    internal override int Classes => 0;

    internal override bool HigherMetricIsBetter => false;

    internal override bool PerPosition => perPosition;

    // Both rise and fall with the loss, so that the best epoch is the same by either.
    internal override string MetricName(SequenceKind kind) => kind == SequenceKind.Ids ? "perplexity" : "RMSE";

    internal override nn.Module<SequenceInput, Tensor> BuildNetwork(ModelDescription model, DropoutSource dropout, Initialisation init) =>
        new MambaForSequenceEmbedding(model.Config, perPosition ? null : model.Pooling, layer, dropout, init);

    internal override ITrainee CreateTrainee(TrainingPlan plan) => new SelfSupervisedTrainee(plan);

    internal override TrainingObjective LearnFrom(SequenceSet train) => this;

    internal override void ToScores(Span<float> outputs, int count)
    {
        for (var start = 0; normalize && start < outputs.Length; start += count)
        {
            Normalize(outputs.Slice(start, count));
        }
    }

    internal override string? Defect(ModelDescription model)
    {
        if (layer < 1 || layer > model.Config.NLayer)
        {
            return $"Layer is {layer}; the encoder has layers 1 to {model.Config.NLayer}.";
        }
        if (model.Pooling == MambaPooling.Attention)
        {
            return "Pooling is Attention, whose queries only labels could teach; expected Last, First, Mean, Max or MeanMax.";
        }
        return perPosition && model.ReverseComplementAveraging
            ? "ReverseComplementAveraging is true; it has no meaning for one vector per position."
            : null;
    }

    internal override void WriteJson(Utf8JsonWriter json)
    {
        json.WriteString("name", Name);
        if (layer is { } block)
        {
            json.WriteNumber("layer", block);
        }
        json.WriteBoolean("normalize", normalize);
        json.WriteBoolean("perPosition", perPosition);
    }

    internal static EmbeddingObjective Read(JsonElement json) => new(
        json.TryGetProperty("layer", out var layer) ? layer.GetInt32() : null,
        json.GetProperty("normalize").GetBoolean(),
        json.GetProperty("perPosition").GetBoolean());

    // Zeros, the vector of an empty sequence, stay zeros.
    private static void Normalize(Span<float> vector)
    {
        double squares = 0;
        foreach (var value in vector)
        {
            squares += (double)value * value;
        }
        var length = Math.Sqrt(squares);
        foreach (ref var value in vector)
        {
            value = length == 0 ? 0 : (float)(value / length);
        }
    }
}
