using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>The two files of a saved model, in memory.</summary>
internal sealed record SavedModel(byte[] Config, byte[] Weights)
{
    public static SavedModel Of(SequencePredictor model)
    {
        using MemoryStream config = new(), weights = new();
        model.Save(config, weights);
        return new SavedModel(config.ToArray(), weights.ToArray());
    }

    public SequencePredictor Load(SequenceTokenizer? tokenizer) =>
        SequencePredictor.Load(new MemoryStream(Config), new MemoryStream(Weights), Weights.Length, tokenizer);
}
