using System.Diagnostics;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>An encoder learnt without labels from the training texts of all text tasks.</summary>
internal sealed record Pretraining(DirectoryInfo Data, string[] Overrides, Action<MambaTrainingProgress> Progress)
{
    /// <summary>Learns a vocabulary and an encoder.</summary>
    /// <returns>The encoder's transformer, to be disposed when nothing is tuned from it any more.</returns>
    public MambaEmbeddingTransformer Learn(MLContext ml)
    {
        string[] texts = [.. AccuracyTask.All.Where(task => task.IsText).SelectMany(task => AccuracyData.Texts(Path.Combine(Data.FullName, task.Name, "train.tsv"), task.SequenceColumn))];
        var options = new MambaEmbeddingEstimator.Options
        {
            InputColumnName = nameof(Row.Sequence),
            Tokenizer = SequenceTokenizer.LearnBytePairs(texts, vocabSize: 8192, lowercase: true),
            Model = new MambaConfig { DModel = 64, NLayer = 1 },
            Training = new MambaTrainingOptions { Epochs = 6, BatchSize = 16, LearningRate = 2e-3, Dropout = 0.1, ValidationFraction = 0.02 },
            Progress = Progress,
        };
        foreach (string setting in Overrides)
            SettingOverride.Apply(options, setting);

        long start = Stopwatch.GetTimestamp();
        var encoder = ml.Transforms.MambaEmbed(options).Fit(ml.Data.LoadFromEnumerable(texts.SelectMany(Pieces).Select(text => new Row { Sequence = text })));
        Console.WriteLine(FormattableString.Invariant($"encoder learnt from {texts.Length:N0} texts: perplexity {encoder.History.Epochs[^1].ValidationMetric:0.0} after {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s"));
        return encoder;
    }

    /// <summary>Pieces of about 2,000 characters, cut at blanks: batches of like lengths, and no text is cut off.</summary>
    private static IEnumerable<string> Pieces(string text)
    {
        const int longest = 2_000;
        while (text.Length > longest && text.LastIndexOf(' ', longest) is > 0 and var cut)
        {
            yield return text[..cut];
            text = text[cut..];
        }

        yield return text;
    }

    private sealed class Row
    {
        public string Sequence { get; set; } = "";
    }
}
