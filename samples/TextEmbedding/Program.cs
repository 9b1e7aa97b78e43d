using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Spectre.Console;

var (options, exitCode) = CommandLine.Read(args);
if (options is null)
    return exitCode;

return await SampleRun.RunAsync(async cancellation =>
{
    Directory.CreateDirectory(options.Out);
    string InOut(string name) => Path.Combine(options.Out, name);

    // Data: two columns of a tab-separated file, Label and Text. A fifth is for testing; of the rest, few rows have a label to learn from.
    if (options.Data is null)
    {
        options = options with { Data = InOut("reviews.tsv"), Label = "topic", Text = "text" };
        GeneratedReviews.Write(options.Data, count: 4000, seed: 1, sentences: 3);
        Console.WriteLine($"Generated 4000 reviews of six kinds of things (by a small grammar; nobody wrote them): {options.Data}");
    }

    var ml = new MLContext(seed: 1);
    int Column(string name) => Arguments.ColumnIndex(options.Data, name, "--label and --text");
    var all = ml.Data.LoadFromTextFile(options.Data,
        [new TextLoader.Column("Label", DataKind.String, Column(options.Label)), new TextLoader.Column("Text", DataKind.String, Column(options.Text))], hasHeader: true);
    var split = ml.Data.TrainTestSplit(all, testFraction: 0.2);
    var labelled = ml.Data.TakeRows(ml.Data.ShuffleRows(split.TrainSet, seed: 1), options.Labelled);

    // An encoder: read from a checkpoint, or learnt from the training texts without their labels.
    var encode = new MambaEmbeddingEstimator.Options { InputColumnName = "Text", Normalize = true, CancellationToken = cancellation };
    if (options.Checkpoint is not null)
    {
        encode.Pretrained = Arguments.EncoderOfTexts(options.Checkpoint);
    }
    else
    {
        encode.Tokenizer = SequenceTokenizer.LearnBytePairs(split.TrainSet.GetColumn<string>("Text"), vocabSize: 2000, lowercase: true);
        // A causal encoder foretells each token from those before, so it has to find out what a text is about.
        encode.Model = new MambaConfig { DModel = 64, NLayer = 2, Bidirectional = false };
        encode.Training = new MambaTrainingOptions { Epochs = options.Epochs };
    }
    var display = TrainingDisplay.OfPerplexity();
    encode.Progress = display.Report;
    var watch = Stopwatch.StartNew();
    using var encoder = options.Checkpoint is null ? display.Show(() => ml.Transforms.MambaEmbed(encode).Fit(split.TrainSet)) : ml.Transforms.MambaEmbed(encode).Fit(split.TrainSet);
    Console.WriteLine($"Encoder: {encoder.Model.NLayer} layers of {encoder.Model.DModel}, {watch.Elapsed.TotalSeconds:F0} s");

    // The same linear classifier on the embeddings and on ML.NET's counts of words and letters, with few labels.
    var table = new Table().Border(TableBorder.Rounded).AddColumns($"Linear classifier, {options.Labelled} labels, on", "Accuracy", "Log-loss");
    void Evaluate(string name, IEstimator<ITransformer> features)
    {
        cancellation.ThrowIfCancellationRequested();
        var model = ml.Transforms.Conversion.MapValueToKey("Label").Append(features)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.01f)).Fit(labelled);
        var metrics = ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        table.AddRow(name, $"{metrics.MicroAccuracy:P1}", $"{metrics.LogLoss:F3}");
    }
    MambaEmbeddingEstimator Embed(MambaEncoder source) => ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options
    {
        OutputColumnName = "Features",
        InputColumnName = "Text",
        Pretrained = source,
        Normalize = true,
    });
    Evaluate("Mamba embeddings", Embed(MambaEncoder.Of(encoder)));
    Evaluate("FeaturizeText (words, letters)", ml.Transforms.Text.FeaturizeText("Features", "Text"));
    AnsiConsole.Write(table);

    // The model as a file, and as a generator of embeddings for Microsoft.Extensions.AI: nearest neighbours among the test texts.
    ml.Model.Save(encoder, all.Schema, InOut("embedding.zip"));
    using IEmbeddingGenerator<string, Embedding<float>> generator = MambaEmbeddingGenerator.FromModel(InOut("embedding.zip"));
    var texts = split.TestSet.GetColumn<string>("Text").ToArray();
    var labels = split.TestSet.GetColumn<string>("Label").ToArray();
    string[] queries = options.Queries.Length > 0 ? options.Queries : options.Checkpoint is null && options.Label == "topic" ? Queries.OfReviews : texts[..4];
    var index = await generator.GenerateAsync(texts, cancellationToken: cancellation);
    foreach (var (query, embedding) in await generator.GenerateAndZipAsync(queries, cancellationToken: cancellation))
    {
        Console.WriteLine($"Nearest to: {query}");
        var nearest = index.Select((e, i) => (Cosine: TensorPrimitives.Dot(e.Vector.Span, embedding.Vector.Span), Number: i))
            .Where(n => texts[n.Number] != query).OrderByDescending(n => n.Cosine).Take(3);
        foreach (var (cosine, number) in nearest)
            Console.WriteLine($"  {cosine:F2}  {labels[number],-16} {(texts[number].Length <= 100 ? texts[number] : texts[number][..99] + "…")}");
    }

    // A map of the test texts.
    var project = ml.Transforms.ProjectToPrincipalComponents("Place", "Embedding", rank: 2, seed: 1);
    var embedded = encoder.Transform(split.TestSet);
    var places = project.Fit(embedded).Transform(embedded).GetColumn<float[]>("Place");
    Pictures.Map([.. labels.Zip(places)], $"{texts.Length} test texts, embedded without labels", InOut("map.png"));
    Console.WriteLine($"Model and picture: {options.Out}");
});

/// <summary>Questions about the generated reviews.</summary>
internal static class Queries
{
    public static readonly string[] OfReviews =
    [
        "The battery of my phone is empty by noon, and the screen is dim.",
        "Our room faced the street and the bed was too hard.",
        "A gripping novel: the plot moves fast and the hero grows on you.",
        "The waiter forgot the soup, and the bill was wrong.",
    ];
}
