using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Tiny embedding models of <see cref="PipelineData"/>.</summary>
internal static class EmbeddingModels
{
    /// <summary>Options with which Fit takes a fraction of a second.</summary>
    public static MambaEmbeddingEstimator.Options Options(Action<MambaEmbeddingEstimator.Options>? change = null)
    {
        var options = new MambaEmbeddingEstimator.Options
        {
            Tokenizer = SequenceTokenizer.Dna,
            Model = new MambaConfig { DModel = 8, NLayer = 2, DState = 4 },
            Training = new MambaTrainingOptions { Epochs = 1, BatchSize = 16, Dropout = 0 },
            ScoringBatchSize = 16,
        };
        change?.Invoke(options);
        return options;
    }

    public static MambaEmbeddingTransformer Fit(MLContext ml, Action<MambaEmbeddingEstimator.Options>? change = null) =>
        ml.Transforms.MambaEmbed(Options(change)).Fit(ml.Data.LoadFromEnumerable(PipelineData.Rows(60)));

    /// <summary>The embedding of each row.</summary>
    public static float[][] Embed(MLContext ml, ITransformer model, IEnumerable<PipelineData.Row> rows) =>
        [.. ml.Data.CreateEnumerable<Embedded>(model.Transform(ml.Data.LoadFromEnumerable(rows)), reuseRowObject: false).Select(row => row.Embedding)];

    public sealed class Embedded
    {
        [VectorType]
        public float[] Embedding { get; set; } = [];
    }
}
